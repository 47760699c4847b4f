#include <catch2/catch_test_macros.hpp>

#include "ops/op.h"
#include "ops/ops.h"
#include "passes/rewrite.h"
#include "support/graph_checks.h"

namespace pdarts::passes {
namespace {

using ir::Graph;
using ir::OpKind;
using ir::ValueId;
using tensor::DType;
using tensor::Shape;
using tests::CheckSameValues;
using tests::Count;

// What two 1x1 convolutions behind a ReLU do to a concat, and the gradients of its sources. `pooled`: something else
// reads the concat too.
Graph Preprocessed(bool pooled) {
  Graph graph;
  std::vector<ValueId> sources, terms;
  for (const char* name : {"a", "b", "c"}) sources.push_back(graph.Input(name, {DType::kF64, Shape{2, 4, 3, 5}}));
  const ValueId concat = ops::Concat(graph, sources), relu = ops::Relu(graph, concat);
  std::vector<ValueId> wanted = sources;
  for (const char* name : {"pre0", "pre1"}) {
    wanted.push_back(graph.Input(name, {DType::kF64, Shape{6, 12, 1, 1}}));
    terms.push_back(
        ops::BatchNorm(graph, ops::Conv2d(graph, relu, wanted.back(), {}), ir::kNoValue, ir::kNoValue, 1e-5).dst);
  }
  if (pooled) terms.push_back(ops::Slice(graph, ops::AvgPool(graph, concat, {3, 1, 1}), 2, 6));
  const ValueId result = ops::AddN(graph, terms), diff = graph.Input("diff", graph.desc(result));
  graph.Output("result", result);
  int number = 0;
  for (ValueId gradient : ops::DifferentiateFrom(graph, result, diff, wanted))
    graph.Output(fmt::format("gradient{}", number++), gradient);
  return DeadCode(GroupSeparable(FuseSeparable(graph)));
}

TEST_CASE("Convolutions of a concat read its sources, if nothing else reads it", "[passes]") {
  const Graph graph = Preprocessed(false), parts = DeadCode(BypassConcat(graph));
  CHECK(Count(graph, OpKind::kConcat) == 1);
  CHECK(Count(graph, OpKind::kSlice) == 3);
  ir::Verify(parts);
  CHECK(Count(parts, OpKind::kConcat) + Count(parts, OpKind::kSlice) == 0);
  REQUIRE(Count(parts, OpKind::kSeparable) == 1);
  REQUIRE(Count(parts, OpKind::kSeparableBwd) == 1);
  for (const ir::Node& node : parts.nodes()) {
    if (node.kind == OpKind::kSeparable) CHECK(node.attributes.Int("sources") == 3);
    if (node.kind == OpKind::kSeparableBwd) CHECK(node.outputs.size() == 3 + 2);
  }
  CheckSameValues(graph, parts);
  const Graph pooled = Preprocessed(true);
  CHECK(ir::ToString(BypassConcat(pooled)) == ir::ToString(pooled));
}

}  // namespace
}  // namespace pdarts::passes
