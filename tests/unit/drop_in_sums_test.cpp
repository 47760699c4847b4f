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

struct Case {
  bool read_elsewhere = false;  // the second dropped tensor
  bool other_rate = false;      // of the second dropout
};

// A node's sum of a batch norm and two dropped skip connections, with the gradients of x and of the table.
Graph Node(const Case& c) {
  Graph graph;
  const TensorDesc image{DType::kF64, Shape{2, 3, 4, 4}};
  const ValueId x = graph.Input("x", image), table = graph.Input("table", {DType::kF64, Shape{1, 3}});
  const ValueId rate = graph.Input("rate", {DType::kF64, Shape{1}}), rng = graph.Input("rng", {DType::kI64, Shape{2}});
  const ValueId norm = ops::BatchNorm(graph, ops::Relu(graph, x), ir::kNoValue, ir::kNoValue, 1e-5).dst;
  const ValueId other = c.other_rate ? ops::Scale(graph, rate, 0.5) : rate;
  const ValueId first = ops::Dropout(graph, x, rate, rng, {7}), second = ops::Dropout(graph, x, other, rng, {8});
  const ValueId sum = ops::WeightedSum(graph, {first, norm, second}, table, {1, 0, 2});
  graph.Output("sum", sum);
  const ValueId diff = graph.Input("diff", image);
  const std::vector<ValueId> diffs = ops::DifferentiateFrom(graph, sum, diff, {x, table});
  graph.Output("diff_x", diffs[0]);
  graph.Output("diff_table", diffs[1]);
  if (c.read_elsewhere) graph.Output("dropped", second);
  return graph;
}

TEST_CASE("Sums drop their terms themselves, forward and for the gradient of the table", "[passes]") {
  for (const Case& c : {Case{}, Case{.read_elsewhere = true}, Case{.other_rate = true}}) {
    CAPTURE(c.read_elsewhere, c.other_rate);
    const Graph graph = Node(c), sums = FuseNormalizedSums(graph), dropped = DropInSums(sums);
    ir::Verify(dropped);
    CHECK(Count(sums, OpKind::kDropout) == 4);
    // Those of the gradients are left, and one that is not the sums' alone or has not the others' rate.
    CHECK(Count(dropped, OpKind::kDropout) == (c.read_elsewhere || c.other_rate ? 3 : 2));
    CHECK(Count(dropped, OpKind::kNormalizedSum) == 1);
    CHECK(Count(dropped, OpKind::kNormalizedSumBwd) == 1);
    CheckSameValues(graph, dropped, tests::DropoutInputs(0.25));
    CheckSameValues(graph, DropInSums(dropped), tests::DropoutInputs(0.25));
  }
}

}  // namespace
}  // namespace pdarts::passes
