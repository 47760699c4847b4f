// `--check-against=ref`: runs a plan step by step and every node also by its reference kernel, on copies of the plan's
// own operands. So an error is found in the step that makes it, not where it comes out.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "plan/executor.h"

namespace pdarts::plan {

struct StepError {
  int step = -1;
  int output = 0;
  std::string kernel, node_name;
  double error = 0;  // ||a - b|| / ||b|| over the output's elements; infinite where only one of both is finite
};

struct CheckReport {
  int steps = 0;
  std::map<ir::OpKind, StepError> worst;  // of each kind
  std::optional<StepError> first_fault;   // the first step whose error exceeds the tolerance
};

// Executes one run of the plan (its slots and outputs change as by Run) and compares. `backend` is the one the plan was
// compiled for; its reorders translate its own layouts.
CheckReport CheckAgainstReference(Executor& executor, device::Backend& backend, double tolerance);

// One line: "conv2d 3.1e-07 at step 12 (onednn:..., cells.0)" for each kind, worst first, then the first fault if there
// is one.
std::string ToString(const CheckReport& report);

}  // namespace pdarts::plan
