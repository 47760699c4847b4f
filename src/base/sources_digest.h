// What the bits of a result depend on besides its inputs, the machine and the libraries.
#pragma once

namespace pdarts::base {

// Twelve hexadecimal digits of the sources, the compiler and the flags that this program's numbers come from; written
// by cmake/sources_digest.cmake.
const char* SourcesDigest();

}  // namespace pdarts::base
