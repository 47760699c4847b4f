#include "support/graph_checks.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "support/interpreter.h"

namespace pdarts::tests {

int Count(const ir::Graph& graph, ir::OpKind kind) {
  return static_cast<int>(
      std::ranges::count_if(graph.nodes(), [&](const ir::Node& node) { return node.kind == kind; }));
}

void CheckSameValues(const ir::Graph& a, const ir::Graph& b, std::map<std::string, tensor::HostTensor> named) {
  for (const ir::Node& node : a.nodes())
    if (node.kind == ir::OpKind::kInput) {
      const auto& name = std::get<std::string>(node.attributes.Get("name"));
      if (!named.contains(name))
        named[name] = RandomTensor(a.desc(node.outputs[0]), static_cast<uint32_t>(named.size()), 1000, 700);
    }
  const auto values_a = Interpret(a, named), values_b = Interpret(b, named);
  for (size_t output = 0; output < a.outputs().size(); ++output) {
    CAPTURE(a.outputs()[output].first);
    const auto x = values_a[a.outputs()[output].second].ToDoubles(),
               y = values_b[b.outputs()[output].second].ToDoubles();
    REQUIRE(x.size() == y.size());
    for (size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - y[i]) < 1e-12 * (1 + std::abs(x[i])));
  }
}

std::map<std::string, tensor::HostTensor> DropoutInputs(double rate) {
  using tensor::HostTensor;
  return {{"rate", HostTensor::FromDoubles({tensor::DType::kF64, tensor::Shape{1}}, std::vector<double>{rate})},
          {"rng", HostTensor::FromDoubles({tensor::DType::kI64, tensor::Shape{2}}, std::vector<double>{3, 4})}};
}

}  // namespace pdarts::tests
