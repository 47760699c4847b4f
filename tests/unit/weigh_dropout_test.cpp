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

TEST_CASE("A dropped term's gradient is weighed where it is dropped", "[passes]") {
  Graph graph;
  const TensorDesc image{DType::kF64, Shape{2, 3, 4, 4}};
  const ValueId x = graph.Input("x", image), table = graph.Input("table", {DType::kF64, Shape{1, 2}});
  const ValueId rate = graph.Input("rate", {DType::kF64, Shape{1}}), rng = graph.Input("rng", {DType::kI64, Shape{2}});
  const ValueId dropped = ops::Dropout(graph, x, rate, rng, {7});
  const ValueId sum = ops::WeightedSum(graph, {dropped, ops::Relu(graph, x)}, table, {1, 0});
  const ValueId diff = graph.Input("diff", image);
  graph.Output("sum", sum);
  graph.Output("diff_x", ops::DifferentiateFrom(graph, sum, diff, {x})[0]);
  CHECK(Count(graph, OpKind::kScaleByWeight) == 2);
  const Graph weighed = DeadCode(WeighDropout(graph));
  ir::Verify(weighed);
  CHECK(Count(weighed, OpKind::kScaleByWeight) == 1);
  CHECK(Count(weighed, OpKind::kDropout) == 2);
  CheckSameValues(graph, weighed, tests::DropoutInputs(0.25));
}

}  // namespace
}  // namespace pdarts::passes
