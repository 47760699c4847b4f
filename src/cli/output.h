// The verb's result on stdout. The log goes to stderr through base/log.h.
#pragma once

#include <string>
#include <string_view>

namespace pdarts::cli {

// Writes to stdout as it is. Once the reader of a pipe has gone, further text is dropped and the verb runs on; any
// other failure is a data error (a full disk).
void Print(std::string_view text);

// Writes what is still buffered; errors as Print.
void FlushOutput();

// Whether stdout is a terminal that wants colours (NO_COLOR is not set, TERM is not "dumb").
bool ColourWanted();

}  // namespace pdarts::cli
