// Times the steps of a network by the plans that a search or a training runs.
#pragma once

#include <optional>
#include <string>

#include "bench/network.h"
#include "bench/op_profile.h"

namespace pdarts::bench {

struct StepTimes {
  double median_ms = 0, min_ms = 0, max_ms = 0;
};

struct StepReport {
  StepTimes times;
  Profile profile;
  passes::ReorderStats reorders;
};

// What the storage of all plans holds, by what it is for.
struct PlannedBytes {
  size_t parameters = 0, statistics = 0, optimizer = 0, inputs = 0, temporary = 0;
  size_t total() const { return parameters + statistics + optimizer + inputs + temporary; }
};

struct Report {
  std::string stage, isa;
  int64_t batch = 0;
  int threads = 0, steps = 0;
  StepReport weights;
  std::optional<StepReport> architecture;  // of a supernet
  PlannedBytes planned;
  int64_t base_bytes = 0, peak_bytes = 0;  // resident: before the first plan was made, and the most afterwards
};

struct BenchOptions {
  int steps = 7;    // timed, after two that are not; a third as many again, at least three, with each kernel timed
  std::string isa;  // for the report
};

Report RunStepBench(const Network& network, device::Backend& backend, const BenchOptions& options);

}  // namespace pdarts::bench
