// The files that are compiled into the binary: the specs of reproduce/ and the stored records of results/records/.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pdarts::base {

struct EmbeddedFile {
  std::string_view name;  // the path in the repository: "reproduce/table1.json"
  std::string_view content;
};

// All of them, sorted by name. Defined by a source that cmake/embed.cmake writes.
std::span<const EmbeddedFile> EmbeddedFiles();

}  // namespace pdarts::base
