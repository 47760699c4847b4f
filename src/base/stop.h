// Stopping long work by SIGINT or SIGTERM: the first signal asks for it, the second ends the process at once.
#pragma once

#include "base/error.h"

namespace pdarts::base {

// While one lives, SIGINT and SIGTERM only set a flag. Make it in the verb that asks StopRequested between steps, never
// elsewhere: a verb that does not ask would no longer stop at all. Not nested.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

// True once a signal came. Save a checkpoint, then return StopExitCode() as the verb's exit code. Any thread may ask.
bool StopRequested();

// kInterrupted after SIGINT, kTerminated after SIGTERM, kOk where no stop was asked for.
ExitCode StopExitCode();

}  // namespace pdarts::base
