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

// Which operations stand on an edge.
struct Edge {
  bool max, average, skip = false;
};

// A state as of a searched cell, whose pools the edges that leave it share, each to a node of its own; gradients of the
// state and, if wanted, of the alphas. `alone`: the pools' gradients are all that reaches the state.
Graph State(const std::vector<Edge>& edges, bool alphas_wanted, bool alone = false) {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, 3, 6, 6}});
  const ValueId alphas = graph.Input("alphas", {DType::kF64, Shape{static_cast<int64_t>(edges.size()), 4}});
  const ValueId table = ops::Softmax(graph, alphas);
  const auto norm = [&](ValueId src) { return ops::BatchNorm(graph, src, ir::kNoValue, ir::kNoValue, 1e-5).dst; };
  std::vector<ValueId> nodes, wanted = {x};
  for (size_t i = 0; i < edges.size(); ++i) {
    std::vector<ValueId> terms;
    std::vector<int64_t> indices;
    const auto add = [&](ValueId term, size_t operation) {
      terms.push_back(term), indices.push_back(static_cast<int64_t>(4 * i + operation));
    };
    if (edges[i].max) add(norm(ops::MaxPool(graph, x, {3, 1, 1})), 0);
    if (edges[i].average) add(norm(ops::AvgPool(graph, x, {3, 1, 1})), 1);
    if (edges[i].skip) add(x, 3);
    const ValueId other = graph.Input(fmt::format("other{}", i), graph.desc(x));
    add(alone ? other : ops::AddN(graph, {ops::Relu(graph, x), other}), 2);
    nodes.push_back(ops::WeightedSum(graph, terms, table, indices));
  }
  const ValueId result = ops::Concat(graph, nodes);
  graph.Output("result", result);
  if (alphas_wanted) wanted.push_back(alphas);
  const auto diffs = ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(result)), wanted);
  for (size_t i = 0; i < diffs.size(); ++i) graph.Output(i == 0 ? "diff_x" : "diff_alphas", diffs[i]);
  return DeadCode(MergeSums(graph));
}

// As State does for skip connections beside pools, but dropped ones.
Graph DroppedSkips(int64_t channels) {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, channels, 5, 5}});
  const ValueId table = graph.Input("table", {DType::kF64, Shape{2, 3}});
  const ValueId rate = graph.Input("rate", {DType::kF64, Shape{1}}), rng = graph.Input("rng", {DType::kI64, Shape{2}});
  std::vector<ValueId> nodes;
  for (int64_t i : {0, 1}) {
    const ValueId pool = ops::BatchNorm(graph, ops::AvgPool(graph, x, {3, 1, 1}), ir::kNoValue, ir::kNoValue, 1e-5).dst;
    nodes.push_back(
        ops::WeightedSum(graph, {pool, ops::Dropout(graph, x, rate, rng, {40 + i})}, table, {3 * i, 3 * i + 2}));
  }
  const ValueId result = ops::Concat(graph, nodes);
  graph.Output("result", result);
  graph.Output("diff_x", ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(result)), {x})[0]);
  return WeighDropout(FuseNormalizedSums(DeadCode(MergeSums(graph))));
}

const ir::Node& Only(const Graph& graph, OpKind kind) {
  REQUIRE(Count(graph, kind) == 1);
  return *std::ranges::find_if(graph.nodes(), [&](const ir::Node& node) { return node.kind == kind; });
}

std::vector<int64_t> List(const ir::Node& node, const char* name) {
  return std::get<std::vector<int64_t>>(node.attributes.Get(name));
}

// Both pools of a batch norm's result, `epsilon` its own, and the gradient of what it normalises.
Graph NormalisedState(double epsilon) {
  Graph graph;
  const ValueId src = graph.Input("x", {DType::kF64, Shape{2, 3, 6, 6}});
  const ValueId table = graph.Input("table", {DType::kF64, Shape{1, 2}});
  const auto norm = [&](ValueId value, double e) {
    return ops::BatchNorm(graph, value, ir::kNoValue, ir::kNoValue, e).dst;
  };
  const ValueId state = norm(src, epsilon);
  const ValueId result = ops::WeightedSum(
      graph, {norm(ops::MaxPool(graph, state, {3, 1, 1}), 1e-5), norm(ops::AvgPool(graph, state, {3, 1, 1}), 1e-5)},
      table, {0, 1});
  graph.Output("result", result);
  graph.Output("diff_x", ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(result)), {src})[0]);
  return DeadCode(MergeSums(graph));
}

TEST_CASE("The sums for the batch norm whose result is pooled come with the gradient, by the same epsilon",
          "[passes]") {
  for (const double epsilon : {1e-5, 1e-3}) {
    const bool same = epsilon == 1e-5;
    const Graph graph = FuseNormalizedSums(NormalisedState(epsilon)), fused = FusePoolNorms(graph);
    ir::Verify(fused);
    const int before = Count(graph, OpKind::kBatchNormBwdSums);
    CHECK(before >= 1);
    CHECK(Count(fused, OpKind::kBatchNormBwdSums) == before - (same ? 1 : 0));
    CHECK(Only(fused, OpKind::kPoolNormBwd).outputs.size() == (same ? 3 : 1));
    CheckSameValues(graph, fused);
  }
}

TEST_CASE("Sums of a gradient by statistics that are taken later stay apart", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, 3, 6, 6}});
  const ValueId table = graph.Input("table", {DType::kF64, Shape{1, 2}});
  const ValueId pool = ops::BatchNorm(graph, ops::MaxPool(graph, x, {3, 1, 1}), ir::kNoValue, ir::kNoValue, 1e-5).dst;
  const ValueId result = ops::WeightedSum(graph, {pool, x}, table, {0, 1});
  const ValueId diff = ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(x)), {x})[0];
  const auto statistics = ops::Emit(graph, OpKind::kBatchNormStatistics, {}, {x});
  const auto sums = ops::Emit(graph, OpKind::kBatchNormBwdSums, ir::Pack(ops::BatchNormAttributes{1e-5}),
                              {x, statistics[0], statistics[1], diff});
  graph.Output("diff", diff);
  graph.Output("gamma", sums[0]);
  const Graph before = FuseNormalizedSums(DeadCode(MergeSums(graph))), fused = FusePoolNorms(before);
  ir::Verify(fused);
  CHECK(Only(fused, OpKind::kPoolNormBwd).outputs.size() == 1);
  CheckSameValues(before, fused);
}

TEST_CASE("Dropped skip connections join the pools' gradients where a draw fits a row", "[passes]") {
  for (const int64_t channels : {8, 4}) {
    const Graph graph = DroppedSkips(channels), fused = FusePoolNorms(graph);
    ir::Verify(fused);
    CHECK(Count(graph, OpKind::kDropout) == 4);
    CHECK(Count(fused, OpKind::kDropout) == (channels == 8 ? 2 : 4));
    std::vector<int64_t> drops = List(Only(fused, OpKind::kPoolNormBwd), "drops");
    std::ranges::sort(drops);
    CHECK(drops == (channels == 8 ? std::vector<int64_t>{40, 41} : std::vector<int64_t>{}));
    CheckSameValues(graph, fused, tests::DropoutInputs(0.25));
  }
}

TEST_CASE("The pools of a state become one node each way, with all of the state's gradient", "[passes]") {
  // Both pools on all edges, on some, and one of them only; skip connections with them and apart from them.
  for (const std::vector<Edge>& edges : {std::vector<Edge>{{true, true}, {true, true}, {true, true}},
                                         {{true, true, true}, {true, true}, {true, true, true}},
                                         {{true, true}, {false, true}, {true, false}},
                                         {{true, true}, {false, false, true}},
                                         {{true, true}},
                                         {{true, false}, {true, false}},
                                         {{false, true}}}) {
    const bool max = std::ranges::any_of(edges, &Edge::max), average = std::ranges::any_of(edges, &Edge::average);
    const size_t branches = max && average ? 2 : 1;
    const auto used = std::ranges::count(edges, true, &Edge::max) + std::ranges::count(edges, true, &Edge::average) +
                      std::ranges::count(edges, true, &Edge::skip);
    for (const bool alphas : {false, true})
      for (const bool alone : {false, true}) {
        const Graph graph = State(edges, alphas, alone), sums = FuseNormalizedSums(graph);
        const Graph fused = FusePoolNorms(sums);
        ir::Verify(fused);
        CAPTURE(alphas, alone, ir::ToString(sums), ir::ToString(fused));
        CHECK(List(Only(fused, OpKind::kPoolNorm), "max").size() == branches);
        const ir::Node& backward = Only(fused, OpKind::kPoolNormBwd);
        CHECK(List(backward, "max").size() == branches);
        const std::vector<int64_t> indices = List(backward, "indices");
        CHECK(indices.size() == (branches + 1) * edges.size());
        CHECK(std::ranges::count_if(indices, [](int64_t index) { return index >= 0; }) == used);
        if (alone) CHECK(Count(fused, OpKind::kScaleByWeight) == 0);  // else the ReLU's may be one
        CHECK(backward.attributes.Int("add") == (alone ? 0 : 1));
        for (const OpKind kind : {OpKind::kMaxPool, OpKind::kAvgPool, OpKind::kMaxPoolBwd, OpKind::kAvgPoolBwd,
                                  OpKind::kBatchNormStatistics, OpKind::kBatchNormBwdSums, OpKind::kBatchNormBwdData})
          CHECK(Count(fused, kind) == 0);
        CHECK(DeadCode(fused).nodes().size() == fused.nodes().size());
        CheckSameValues(graph, fused);
        CHECK(ir::ToString(FusePoolNorms(fused)) == ir::ToString(fused));
      }
  }
}

TEST_CASE("Pools whose gradients are not only added up have nodes of their own", "[passes]") {
  Graph graph = State({{true, true}, {true, true}}, false);
  for (const ir::Node& node : std::vector<ir::Node>(graph.nodes()))
    if (node.kind == OpKind::kMaxPoolBwd) graph.Output("diff_by_max", node.outputs[0]);
  const Graph fused = FusePoolNorms(FuseNormalizedSums(graph));
  CAPTURE(ir::ToString(fused));
  CHECK(Count(fused, OpKind::kPoolNorm) == 1);
  CHECK(Count(fused, OpKind::kPoolNormBwd) == 2);
  CHECK(Count(fused, OpKind::kMaxPoolBwd) + Count(fused, OpKind::kAvgPoolBwd) == 0);
  CheckSameValues(graph, fused);
}

TEST_CASE("What lies inside a pool's backward and is read elsewhere keeps it whole", "[passes]") {
  for (const OpKind inner : {OpKind::kBatchNormBwdData, OpKind::kWeightedSum}) {
    Graph graph = State({{true, false}, {true, false}}, false);
    ValueId read = ir::kNoValue;
    for (const ir::Node& node : graph.nodes())
      if (node.kind == OpKind::kBatchNormBwdData) read = inner == node.kind ? node.outputs[0] : node.inputs[3];
    graph.Output("read", read);
    const Graph fused = FusePoolNorms(FuseNormalizedSums(graph));
    CHECK(Count(fused, OpKind::kPoolNorm) == 1);
    CHECK(Count(fused, OpKind::kPoolNormBwd) == 0);
    CHECK(Count(fused, OpKind::kMaxPoolBwd) == 1);
    CheckSameValues(graph, fused);
  }
}

TEST_CASE("Pools with other windows are no branches of one node, and a pool without a normalisation is none",
          "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, 3, 6, 6}});
  for (const ops::PoolAttributes& window : {ops::PoolAttributes{3, 1, 1}, {5, 1, 2}}) {
    const ValueId pool = ops::MaxPool(graph, x, window);
    graph.Output(fmt::format("dst{}", window.kernel),
                 ops::BatchNorm(graph, pool, ir::kNoValue, ir::kNoValue, 1e-5).dst);
  }
  graph.Output("plain", ops::AvgPool(graph, x, {3, 1, 1}));
  const Graph fused = FusePoolNorms(graph);
  CHECK(Count(fused, OpKind::kPoolNorm) == 2);
  CHECK(Count(fused, OpKind::kAvgPool) == 1);
  CheckSameValues(graph, fused);
}

}  // namespace
}  // namespace pdarts::passes
