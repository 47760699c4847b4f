// The cpu backend against the reference kernels, case by case.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "tensor/tensor.h"

namespace pdarts::tests {

struct CpuCase {
  std::string name;
  std::vector<tensor::Shape> inputs;
  std::function<ir::ValueId(ir::Graph&, const std::vector<ir::ValueId>&)> build;
  bool exact = true;  // to the bit on the inputs given, multiples of a quarter; else to 2e-6
};

// CHECKs the value that is built, what the builder made an output, and all gradients, with the instruction set that is
// chosen. Inputs that the builder adds: "labels" i32 [3], "rate" f64 [1], "rng" i64 [2].
void CheckOnCpu(const CpuCase& c);

// CHECKs all cases on every instruction set of this machine.
void CheckOnCpuSets(const std::vector<CpuCase>& cases);

}  // namespace pdarts::tests
