#include <algorithm>
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

constexpr int64_t kChannels = 4;

// Builds nodes of an evaluated cell: edges are 1x1 convolutions with a batch norm, maybe dropped by samples.
class CellBuilder {
 public:
  ValueId Input(const std::string& name, const Shape& shape) {
    const ValueId value = graph.Input(name, {DType::kF64, shape});
    wanted.push_back(value), names.push_back("diff_" + name);
    return value;
  }
  ValueId Edge(ValueId src, bool affine, bool dropped, double epsilon = 1e-5) {
    const std::string id = std::to_string(edges++);
    const ValueId dst =
        ops::Conv2d(graph, ops::Relu(graph, src), Input("weights" + id, {kChannels, kChannels, 1, 1}), {});
    const ValueId gamma = affine ? Input("gamma" + id, {kChannels}) : ir::kNoValue,
                  beta = affine ? Input("beta" + id, {kChannels}) : ir::kNoValue;
    const ValueId norm = ops::BatchNorm(graph, dst, gamma, beta, epsilon).dst;
    return dropped ? Drop(norm) : norm;
  }
  ValueId Drop(ValueId value) {
    const ValueId rate = graph.Input("rate", {DType::kF64, Shape{1}}),
                  rng = graph.Input("rng", {DType::kI64, Shape{2}});
    return ops::ScaleSamples(graph, value, ops::DropPath(graph, rate, rng, {drops++, graph.shape(value).n()}));
  }
  // With the gradients of all inputs.
  Graph Finish(ValueId result) {
    graph.Output("result", result);
    const auto diffs = ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(result)), wanted);
    for (size_t i = 0; i < diffs.size(); ++i) graph.Output(names[i], diffs[i]);
    return DeadCode(graph);
  }

  Graph graph;
  std::vector<ValueId> wanted;
  std::vector<std::string> names;
  int edges = 0;
  int64_t drops = 0;
};

// The passes that come before, and the one that is looked at.
Graph Fused(const Graph& graph) { return GroupSeparable(FuseSeparable(MergeSums(graph))); }

void CheckSame(const Graph& graph) {
  for (double rate : {0.0, 0.4}) CheckSameValues(graph, SumPaths(Fused(graph)), tests::DropoutInputs(rate));
}

const Shape kImage{6, kChannels, 5, 4};

TEST_CASE("a node of two dropped edges is one sum, with one pass for its gradient", "[passes]") {
  for (bool affine : {false, true}) {
    CellBuilder b;
    const ValueId x = b.Input("x", kImage), y = b.Input("y", kImage);
    const double epsilon = affine ? 1e-5 : 0.1;
    const Graph graph =
        b.Finish(ops::AddN(b.graph, {b.Edge(x, affine, true, epsilon), b.Edge(y, affine, true, epsilon)}));
    const Graph fused = SumPaths(Fused(graph));
    CHECK(Count(fused, OpKind::kPathSum) == 1);
    CHECK(Count(fused, OpKind::kPathSumBwd) == 1);
    for (OpKind kind : {OpKind::kScaleSamples, OpKind::kBatchNormApply, OpKind::kBatchNormBwdSums, OpKind::kAddN})
      CHECK(Count(fused, kind) == 0);
    CHECK(Count(fused, OpKind::kDropPath) == 2);
    CheckSame(graph);
  }
}

TEST_CASE("edges that leave one state keep their own factors", "[passes]") {
  CellBuilder b;
  const ValueId x = b.Input("x", kImage);
  const ValueId first = ops::AddN(b.graph, {b.Edge(x, true, true), b.Edge(x, true, false)});
  const ValueId second = ops::AddN(b.graph, {b.Edge(x, true, true), first});
  const Graph graph = b.Finish(ops::Concat(b.graph, {first, second}));
  const Graph fused = SumPaths(Fused(graph));
  CHECK(Count(fused, OpKind::kPathSum) == 2);
  CHECK(Count(fused, OpKind::kSeparableBwd) == 1);
  CHECK(Count(fused, OpKind::kScaleSamples) == 0);
  CheckSame(graph);
}

TEST_CASE("an edge without a batch norm is a term as it is, with its factors", "[passes]") {
  CellBuilder b;
  const ValueId x = b.Input("x", kImage);
  const Graph graph = b.Finish(ops::AddN(b.graph, {b.Edge(x, true, false), b.Drop(ops::AvgPool(b.graph, x, {})), x}));
  const Graph fused = SumPaths(Fused(graph));
  CHECK(Count(fused, OpKind::kPathSum) == 1);
  CHECK(Count(fused, OpKind::kPathSumBwd) == 0);    // one batch norm of an undropped gradient
  CHECK(Count(fused, OpKind::kScaleSamples) == 1);  // of the pool's gradient
  CheckSame(graph);
}

TEST_CASE("what something else reads too stays a term of its own", "[passes]") {
  CellBuilder b;
  const ValueId x = b.Input("x", kImage);
  const ValueId read_twice = b.Edge(x, true, true), norm = b.Edge(x, true, false);
  const ValueId sum = ops::AddN(b.graph, {read_twice, b.Drop(norm), b.Edge(x, true, true)});
  const Graph graph = b.Finish(ops::Concat(b.graph, {sum, ops::Relu(b.graph, read_twice), ops::Relu(b.graph, norm)}));
  const Graph fused = SumPaths(Fused(graph));
  CHECK(Count(fused, OpKind::kPathSum) == 1);
  CHECK(Count(fused, OpKind::kBatchNormApply) == 2);
  CheckSame(graph);
}

TEST_CASE("a gradient that something else reads too is still dropped before", "[passes]") {
  CellBuilder b;
  const ValueId x = b.Input("x", kImage);
  const ValueId edge = b.Edge(x, true, true);
  const ValueId sum = ops::AddN(b.graph, {edge, b.Edge(x, true, true)});
  Graph& graph = b.graph;
  graph.Output("result", sum);
  const auto diffs = ops::DifferentiateFrom(graph, sum, graph.Input("diff", graph.desc(sum)), b.wanted);
  for (size_t i = 0; i < diffs.size(); ++i) graph.Output(b.names[i], diffs[i]);
  const auto dropped =
      std::ranges::find_if(graph.nodes(), [](const ir::Node& node) { return node.kind == OpKind::kBatchNormBwdSums; });
  REQUIRE(dropped != graph.nodes().end());
  graph.Output("dropped", dropped->inputs[3]);
  const Graph fused = SumPaths(Fused(DeadCode(graph)));
  CHECK(Count(fused, OpKind::kScaleSamples) == 1);
  CHECK(Count(fused, OpKind::kBatchNormBwdSums) == 1);
  CHECK(Count(fused, OpKind::kPathSumBwd) == 1);
  CheckSame(DeadCode(graph));
}

TEST_CASE("sums whose factors are drawn later stay where they are", "[passes]") {
  Graph graph;
  const tensor::TensorDesc image{DType::kF64, kImage};
  const ValueId g = graph.Input("g", image);
  const ValueId rate = graph.Input("rate", {DType::kF64, Shape{1}}), rng = graph.Input("rng", {DType::kI64, Shape{2}});
  for (int64_t i = 0; i < 3; ++i) {
    const ValueId src = graph.Input(fmt::format("src{}", i), image);
    const auto statistics = ops::Emit(graph, OpKind::kBatchNormStatistics, {}, {src});
    const ValueId dropped = ops::ScaleSamples(graph, g, ops::DropPath(graph, rate, rng, {i, kImage.n()}));
    const auto sums = ops::Emit(graph, OpKind::kBatchNormBwdSums, ir::Pack(ops::BatchNormAttributes{}),
                                {src, statistics[0], statistics[1], dropped});
    graph.Output(fmt::format("gamma{}", i), sums[0]);
    graph.Output(fmt::format("beta{}", i), sums[1]);
  }
  const Graph fused = SumPaths(graph);
  CHECK(Count(fused, OpKind::kPathSumBwd) == 1);
  CHECK(Count(fused, OpKind::kBatchNormBwdSums) == 2);
  CheckSameValues(graph, fused, tests::DropoutInputs(0.4));
}

TEST_CASE("batch norms of unlike epsilons are not summed together", "[passes]") {
  CellBuilder b;
  const ValueId x = b.Input("x", kImage), y = b.Input("y", kImage);
  const Graph graph = b.Finish(ops::AddN(b.graph, {b.Edge(x, true, true, 1e-5), b.Edge(y, true, true, 1e-3)}));
  const Graph fused = SumPaths(Fused(graph));
  CHECK(Count(fused, OpKind::kPathSum) == 0);
  CHECK(Count(fused, OpKind::kPathSumBwd) == 1);
  CheckSame(graph);
}

}  // namespace
}  // namespace pdarts::passes
