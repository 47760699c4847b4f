// The built program, run as a user runs it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/files.h"

namespace pdarts::test {

struct ProcessResult {
  int code = -1;  // the exit status, or 128 + the signal that ended it
  bool by_signal = false;
  std::string out, err;
};

// A command that runs in the background, its stdout and stderr caught in files. Killed if it still runs at the end.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool Running();
  void Signal(int signal);
  std::string ErrorsSoFar() const;
  ProcessResult Wait();

 private:
  TempFolder scratch_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

// The path of the program, from the environment variable PDARTS_BINARY; skips the test where that is not set.
std::string Binary();
// `pdarts ARGUMENTS`, as a command.
std::vector<std::string> Pdarts(const std::vector<std::string>& arguments);
ProcessResult Run(const std::vector<std::string>& command);

// Every file below a folder with its content: what must not change.
std::map<std::string, std::string> Snapshot(const std::filesystem::path& folder);

// Runs `pdarts ARGUMENTS`, which must end with `code`, nothing on stdout and exactly one line on stderr, in which all
// the words occur. `untouched`: a folder that must be the same before and after, or that must not come to be.
void CheckRefused(const std::vector<std::string>& arguments, int code, const std::vector<std::string>& words,
                  const std::filesystem::path& untouched = {});
void CheckOneLine(const ProcessResult& result, int code, const std::vector<std::string>& words);

// A search of seconds: three stages of three epochs on 24 synthetic images, one thread.
std::vector<std::string> TinySearch(const std::filesystem::path& out, const std::vector<std::string>& more = {});

// Waits until the run has written a checkpoint. False where it ended before, or after two minutes.
bool WaitForCheckpoint(Process& process, const std::filesystem::path& folder);

}  // namespace pdarts::test
