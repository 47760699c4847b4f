// Errors that end a command, and checks for our own bugs.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pdarts::base {

// What `pdarts` returns to the shell. The list is part of the interface (README.md, "Exit codes").
enum class ExitCode {
  kOk = 0,
  kOutOfBand = 1,      // a comparison or selftest that does not hold
  kUsage = 2,          // options, genotypes, configuration files
  kInconclusive = 3,   // a comparison that cannot be decided
  kData = 4,           // datasets, checkpoints, records, output folders
  kDevice = 5,         // device or memory
  kInterrupted = 130,  // SIGINT, after a checkpoint
  kTerminated = 143,   // SIGTERM, after a checkpoint
};

// Ends a command. One line for the user: what is wrong, where, and what to do about it.
class Error : public std::runtime_error {
 public:
  // `where` is a path, an option or a position ("batch 3, image 17"); may be empty. `remedy` may be empty only where
  // none exists.
  Error(ExitCode code, std::string what, std::string where, std::string remedy);

  ExitCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& remedy() const { return remedy_; }

 private:
  ExitCode code_;
  std::string message_, where_, remedy_;
};

Error UsageError(std::string what, std::string where, std::string remedy);
Error DataError(std::string what, std::string where, std::string remedy);
Error DeviceError(std::string what, std::string where, std::string remedy);

// Of the names, the one nearest to `word` by edit distance, or "" where none is near. For "did you mean".
std::string NearestName(const std::string& word, const std::vector<std::string>& names);

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line, const std::string& detail);

}  // namespace pdarts::base

// Guards an invariant of ours: a failure is a bug of pdarts, never the user's. The detail is fmt's format and
// arguments.
#define PD_CHECK(condition, ...)                                                                  \
  do {                                                                                            \
    if (!(condition)) [[unlikely]]                                                                \
      ::pdarts::base::CheckFailed(#condition, __FILE__, __LINE__, ::fmt::format("" __VA_ARGS__)); \
  } while (false)
