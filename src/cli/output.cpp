#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/log.h"

namespace pdarts::cli {
namespace {

bool reader_gone = false;

void CheckWritten(bool written) {
  if (written) return;
  if (errno == EPIPE) {
    reader_gone = true;
    return;
  }
  throw base::DataError(std::strerror(errno), "standard output", "make room, or write elsewhere");
}

}  // namespace

void Print(std::string_view text) {
  if (reader_gone) return;
  base::ClearStatus();
  CheckWritten(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

void FlushOutput() {
  if (!reader_gone) CheckWritten(std::fflush(stdout) == 0);
}

bool ColourWanted() {
  const char *no_color = std::getenv("NO_COLOR"), *term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  return ::isatty(STDOUT_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

}  // namespace pdarts::cli
