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

// Two factorized reductions of x, the later one's weights read after the first, and the gradients of x and the weights.
TEST_CASE("Factorized reductions of one tensor are branches of one node each way, from its two sets of pixels",
          "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, 6, 4, 6}});
  const ValueId taken = ops::Concat(graph, {ops::Subsample(graph, x, 0), ops::Subsample(graph, x, 1)});
  std::vector<ValueId> wanted = {x}, terms;
  for (int edge = 0; edge < 2; ++edge) {
    const ValueId src = ops::Relu(graph, taken);
    std::vector<ValueId> weights;
    for (int half = 0; half < 2; ++half) {
      weights.push_back(graph.Input(fmt::format("weights{}{}", edge, half), {DType::kF64, Shape{2, 6, 1, 1}}));
      wanted.push_back(weights.back());
    }
    const ValueId dst = ops::Conv2d(graph, src, ops::Stack(graph, weights), {1, 1, 0, 0, 1, 2});
    terms.push_back(ops::BatchNorm(graph, dst, ir::kNoValue, ir::kNoValue, 1e-5).dst);
  }
  terms.push_back(ops::AvgPool(graph, ops::Slice(graph, x, 1, 4), {3, 2, 1}));
  const ValueId result = ops::AddN(graph, terms), diff = graph.Input("diff", graph.desc(result));
  graph.Output("result", result);
  for (ValueId gradient : ops::DifferentiateFrom(graph, result, diff, wanted))
    graph.Output(fmt::format("gradient{}", gradient), gradient);
  const Graph grouped = DeadCode(GroupSeparable(FuseSeparable(MergeSums(graph))));
  CheckSameValues(graph, grouped);
  const Graph parts = DeadCode(BypassConcat(grouped));
  ir::Verify(parts);
  CheckSameValues(graph, parts);
  CAPTURE(ir::ToString(parts));
  REQUIRE(Count(parts, OpKind::kSeparable) == 1);
  REQUIRE(Count(parts, OpKind::kSeparableBwd) == 1);
  CHECK(Count(parts, OpKind::kRelu) + Count(parts, OpKind::kReluBwd) == 0);
  CHECK(Count(parts, OpKind::kUnstack) == 4);
  CHECK(Count(parts, OpKind::kSubsampleBwd) == 2);
  for (const ir::Node& node : parts.nodes())
    if (node.kind == OpKind::kSeparable || node.kind == OpKind::kSeparableBwd) {
      CHECK(node.attributes.Int("sources") == 2);
      CHECK(node.attributes.ToString().find("groups=[2,2]") != std::string::npos);
    }
  for (const ir::Node& node : parts.nodes())
    if (node.kind == OpKind::kSubsampleBwd) CHECK(node.inputs.size() == 2);
}

}  // namespace
}  // namespace pdarts::passes
