#include "support/cpu_case.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>

#include "backends/cpu/cpu_backend.h"
#include "kernels/isa.h"
#include "ops/op.h"
#include "ops/ops.h"
#include "support/interpreter.h"
#include "support/kernel_cases.h"
#include "support/run_on_backend.h"

namespace pdarts::tests {
namespace {

using ir::Graph;
using ir::ValueId;
using tensor::DType;
using tensor::HostTensor;
using tensor::Shape;

double RelativeError(const HostTensor& a, const HostTensor& b) {
  double difference = 0, norm = 0;
  const std::vector<double> x = a.ToDoubles(), y = b.ToDoubles();
  for (size_t i = 0; i < x.size(); ++i) difference += (x[i] - y[i]) * (x[i] - y[i]), norm += y[i] * y[i];
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

}  // namespace

void CheckOnCpu(const CpuCase& c) {
  Graph graph;
  std::vector<ValueId> inputs;
  std::map<std::string, HostTensor> named;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const std::string name = fmt::format("x{}", i);
    inputs.push_back(graph.Input(name, {DType::kF32, c.inputs[i]}));
    named[name] = RandomTensor({DType::kF32, c.inputs[i]}, static_cast<uint32_t>(i), 4, 4);
  }
  named["labels"] = HostTensor::FromDoubles({DType::kI32, Shape{3}}, std::vector<double>{0, 4, 2});
  named["rate"] = HostTensor::FromDoubles({DType::kF64, Shape{1}}, std::vector<double>{0.5});
  named["odd_rate"] = HostTensor::FromDoubles({DType::kF64, Shape{1}}, std::vector<double>{0.3});  // not drawn exactly
  named["rng"] = HostTensor::FromDoubles({DType::kI64, Shape{2}}, std::vector<double>{7, 3});
  const ValueId result = c.build(graph, inputs);
  named["diff"] = RandomTensor(graph.desc(result), 99, 4, 4);
  graph.Output("result", result);
  const std::vector<ValueId> gradients =
      ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(result)), inputs);
  for (size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i] != ir::kNoValue) graph.Output(fmt::format("gradient{}", i), gradients[i]);

  const std::vector<HostTensor> expected = Interpret(graph, named);
  const auto backend = backends::NewCpuBackend();
  const auto outputs = RunOnBackend(graph, *backend, named);
  for (const auto& [name, value] : graph.outputs()) {
    INFO(c.name << " " << name << " isa " << kernels::IsaName(kernels::ActiveIsa()));
    if (c.exact)
      CHECK(outputs.at(name).ToDoubles() == expected[value].ToDoubles());
    else
      CHECK(RelativeError(outputs.at(name), expected[value]) < 2e-6);
  }
}

void CheckOnCpuSets(const std::vector<CpuCase>& cases) {
  kernels::test::ForEachIsa([&](kernels::Isa) {
    for (const CpuCase& c : cases) CheckOnCpu(c);
  });
}

}  // namespace pdarts::tests
