// The exit code that an action would end the program with.
#pragma once

#include <functional>

#include "base/error.h"

namespace pdarts::test {

inline base::ExitCode CodeOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.code();
  }
  return base::ExitCode::kOk;
}

}  // namespace pdarts::test
