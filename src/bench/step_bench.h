// Times the steps of a network by the plans that a search or a training runs.
#pragma once

#include <optional>
#include <string>

#include "bench/convolution_floor.h"
#include "bench/network.h"
#include "bench/op_profile.h"
#include "kernels/roofline.h"

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

// What the machine can do, and what the step's convolutions cost at least on it.
struct Limits {
  kernels::Roofline machine;
  ConvolutionFloor weights;
  std::optional<ConvolutionFloor> architecture;
};

struct Report {
  std::string stage, isa;
  int64_t batch = 0;
  int threads = 0, steps = 0;
  StepReport weights;
  std::optional<StepReport> architecture;         // of a supernet
  std::optional<nn::SearchNetworkSpec> supernet;  // whose operations were left
  PlannedBytes planned;
  int64_t base_bytes = 0, peak_bytes = 0;  // resident: before the first plan was made, and the most afterwards
  std::optional<Limits> limits;

  double StepOverFloor() const { return weights.times.median_ms / limits->weights.ms; }  // with limits only
};

struct BenchOptions {
  int steps = 7;    // timed, after two that are not; a third as many again, at least three, with each kernel timed
  std::string isa;  // for the report
  bool roofline = false;  // measure Limits too, after the steps
};

// Threads and instruction set are those of the backend.
Report RunStepBench(const Network& network, device::Backend& backend, const BenchOptions& options);

// A network and batch of the set that `make bench` runs.
struct SetEntry {
  std::string stage;
  int64_t batch = 0;
};
const std::vector<SetEntry>& StandardSet();

}  // namespace pdarts::bench
