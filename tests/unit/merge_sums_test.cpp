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
using tensor::TensorDesc;
using tests::CheckSameValues;
using tests::Count;

const TensorDesc kImage{DType::kF64, Shape{2, 3, 4, 4}};

TEST_CASE("Sums of sums become one, but not where the inner one is read elsewhere", "[passes]") {
  Graph graph;
  const ValueId table = graph.Input("table", {DType::kF64, Shape{2, 2}});
  std::vector<ValueId> x;
  for (const char* name : {"a", "b", "c", "d"}) x.push_back(graph.Input(name, kImage));
  const ValueId shared = ops::AddN(graph, {x[0], x[1]});
  graph.Output("shared", shared);
  graph.Output("nested", ops::AddN(graph, {shared, ops::AddN(graph, {x[2], ops::AddN(graph, {x[3], x[0]})})}));
  graph.Output("weighted", ops::AddN(graph, {ops::WeightedSum(graph, {x[0], x[1]}, table, {0, 1}),
                                             ops::WeightedSum(graph, {x[2], x[3]}, table, {2, 3})}));
  const Graph merged = DeadCode(MergeSums(graph));
  CHECK(Count(merged, OpKind::kAddN) == 2);
  CHECK(Count(merged, OpKind::kWeightedSum) == 1);
  const auto terms = [&](int output) {
    return merged.node(merged.value(merged.outputs()[output].second).producer).inputs.size();
  };
  CHECK(terms(1) == 4);
  CHECK(terms(2) == 5);
}

TEST_CASE("Terms that are scattered pixels add to the rest of their sum, each to that with the one before",
          "[passes]") {
  Graph graph;
  const TensorDesc half{DType::kF64, Shape{2, 3, 2, 2}};
  const ValueId a = graph.Input("a", kImage), b = graph.Input("b", kImage), small = graph.Input("small", half);
  const auto scattered = [&](double factor, int64_t offset) {
    return ops::SubsampleBwd(graph, ops::Scale(graph, small, factor), ir::kNoValue, {offset, 4, 4});
  };
  const ValueId shared = scattered(2, 1);
  graph.Output("shared", shared);
  graph.Output("sum", ops::AddN(graph, {scattered(3, 0), a, shared, scattered(4, 1), b}));
  graph.Output("all scattered", ops::AddN(graph, {scattered(5, 0), scattered(6, 1)}));
  const Graph merged = DeadCode(MergeSums(graph));
  CheckSameValues(graph, merged);
  CHECK(Count(merged, OpKind::kAddN) == 2);
  const ir::Node& last = merged.node(merged.value(merged.outputs()[1].second).producer);
  REQUIRE(last.kind == OpKind::kSubsampleBwd);
  REQUIRE(last.inputs.size() == 2);
  const ir::Node& before = merged.node(merged.value(last.inputs[1]).producer);
  REQUIRE(before.inputs.size() == 2);
  CHECK(merged.node(merged.value(before.inputs[1]).producer).inputs.size() == 3);  // a, what is shared, b
}

}  // namespace
}  // namespace pdarts::passes
