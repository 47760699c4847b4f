// Where the time of a step goes: the times of its kernels, summed up by kind of op and by kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/executor.h"

namespace pdarts::bench {

// One line of a profile; all numbers are of one step.
struct OpRow {
  std::string name;  // kind of op, or name of the kernel
  int64_t calls = 0;
  double ms = 0;
  double flops = 0;  // two for each multiply-add of convolutions and linear layers
  double bytes = 0;  // operands read once and results written once
  double Gflops() const { return ms > 0 ? flops / ms * 1e-6 : 0; }  // GFLOP/s
  double Gbs() const { return ms > 0 ? bytes / ms * 1e-6 : 0; }     // GB/s
};

struct Profile {
  std::vector<OpRow> kinds, kernels;  // longest first
};

// Two for each multiply-add, and the bytes of a node's operands and results, each counted once.
double Flops(const ir::Graph& graph, const ir::Node& node);
double Bytes(const plan::Plan& plan, const ir::Node& node, const device::Backend& backend);

// Collects the times of a plan's kernels over several runs; takes the median of each.
class OpTimes {
 public:
  explicit OpTimes(const plan::Plan& plan) : plan_(plan), times_(plan.steps().size()) {}
  plan::Observer Observe();  // valid as long as this object
  Profile Sum(const device::Backend& backend) const;

 private:
  const plan::Plan& plan_;
  std::vector<std::vector<double>> times_;  // ms, by step and run
};

// The middle of the values, or the mean of the two middle ones; not of nothing.
double Median(std::vector<double> values);

}  // namespace pdarts::bench
