// Every gradient rule against central finite differences in float64: the oracle that nobody here wrote is the
// definition of a derivative.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>

#include "ops/op.h"
#include "ops/ops.h"
#include "support/interpreter.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::HostTensor;
using tensor::Shape;
using tests::Interpret;
using tests::RandomTensor;

using Named = std::map<std::string, HostTensor>;

// Builds f of inputs "x0", "x1", ... and checks the gradient of <f, r> for a fixed random r with respect to each of
// them.
void CheckGradient(const std::vector<Shape>& shapes,
                   const std::function<ValueId(Graph&, const std::vector<ValueId>&)>& build, Named extra = {}) {
  Graph graph;
  std::vector<ValueId> inputs;
  Named named = std::move(extra);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const std::string name = fmt::format("x{}", i);
    inputs.push_back(graph.Input(name, {DType::kF64, shapes[i]}));
    // A step of 1/7 keeps values apart, so that no maximum or sign changes within the difference.
    named[name] = RandomTensor({DType::kF64, shapes[i]}, static_cast<uint32_t>(i), 1000, 700);
  }
  const ValueId result = build(graph, inputs);
  const ValueId diff = graph.Input("diff", graph.desc(result));
  named["diff"] = RandomTensor(graph.desc(result), 99);
  const std::vector<ValueId> gradients = DifferentiateFrom(graph, result, diff, inputs);
  const std::vector<HostTensor> values = Interpret(graph, named);

  const auto objective = [&](const Named& point) {
    const HostTensor out = Interpret(graph, point)[result];
    double sum = 0;
    for (size_t i = 0; i < out.As<double>().size(); ++i) sum += out.As<double>()[i] * named["diff"].As<double>()[i];
    return sum;
  };
  for (size_t k = 0; k < inputs.size(); ++k) {
    REQUIRE(gradients[k] != ir::kNoValue);
    const std::span<const double> gradient = values[gradients[k]].As<double>();
    const size_t stride = std::max<size_t>(1, gradient.size() / 12);
    for (size_t i = 0; i < gradient.size(); i += stride) {
      Named up = named, down = named;
      const double step = 1e-5;
      up[fmt::format("x{}", k)].As<double>()[i] += step;
      down[fmt::format("x{}", k)].As<double>()[i] -= step;
      const double numeric = (objective(up) - objective(down)) / (2 * step);
      INFO("input " << k << " element " << i);
      CHECK(gradient[i] == Catch::Approx(numeric).epsilon(1e-6).margin(1e-7));
    }
  }
}

const Shape kImage{2, 3, 6, 5};

TEST_CASE("convolution gradients", "[ops]") {
  const std::vector<std::pair<ConvAttributes, Shape>> cases = {
      {{1, 1, 0, 0, 1, 1}, Shape{4, 3, 1, 1}}, {{2, 2, 1, 1, 1, 1}, Shape{2, 3, 3, 3}},
      {{1, 1, 1, 1, 1, 3}, Shape{3, 1, 3, 3}}, {{2, 2, 2, 2, 2, 3}, Shape{3, 1, 3, 3}},
      {{1, 1, 4, 4, 2, 3}, Shape{3, 1, 5, 5}}, {{1, 2, 0, 3, 1, 1}, Shape{3, 3, 1, 7}},
      {{2, 1, 3, 0, 1, 1}, Shape{3, 3, 7, 1}}};
  for (const auto& [attributes, weights] : cases)
    CheckGradient({kImage, weights}, [&, a = attributes](Graph& g, const auto& x) { return Conv2d(g, x[0], x[1], a); });
}

TEST_CASE("linear gradients", "[ops]") {
  CheckGradient({Shape{3, 4}, Shape{5, 4}, Shape{5}},
                [](Graph& g, const auto& x) { return Linear(g, x[0], x[1], x[2]); });
}

TEST_CASE("batch norm gradients", "[ops]") {
  CheckGradient({kImage},
                [](Graph& g, const auto& x) { return BatchNorm(g, x[0], ir::kNoValue, ir::kNoValue, 1e-5).dst; });
  CheckGradient({kImage, Shape{3}, Shape{3}},
                [](Graph& g, const auto& x) { return BatchNorm(g, x[0], x[1], x[2], 1e-5).dst; });
}

TEST_CASE("a weighted batch norm gradient is the weight times the gradient", "[ops]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, kImage}), diff = graph.Input("diff", {DType::kF64, kImage});
  const ValueId table = graph.Input("table", {DType::kF64, Shape{2, 3}});
  const auto norm = BatchNorm(graph, x, ir::kNoValue, ir::kNoValue, 1e-5);
  const ValueId gradient = DifferentiateFrom(graph, norm.dst, diff, {x})[0];
  std::vector<ValueId> inputs = graph.node(graph.value(gradient).producer).inputs;
  inputs.push_back(table);
  const ValueId weighted =
      Emit(graph, ir::OpKind::kBatchNormBwdData, ir::Pack(BatchNormBwdDataAttributes{{1e-5}, 4}), inputs)[0];
  Named named;
  for (const ValueId value : {x, diff, table}) {
    const auto& name = std::get<std::string>(graph.node(graph.value(value).producer).attributes.Get("name"));
    named[name] = RandomTensor(graph.desc(value), static_cast<uint32_t>(value), 1000, 700);
  }
  const std::vector<HostTensor> values = Interpret(graph, named);
  const double weight = named["table"].As<double>()[4];
  for (size_t i = 0; i < values[gradient].As<double>().size(); ++i)
    CHECK(values[weighted].As<double>()[i] == Catch::Approx(weight * values[gradient].As<double>()[i]).epsilon(1e-12));
}

TEST_CASE("pooling and relu gradients", "[ops]") {
  for (int64_t stride : {1, 2}) {
    CheckGradient({kImage}, [&](Graph& g, const auto& x) { return MaxPool(g, x[0], {3, stride, 1}); });
    CheckGradient({kImage}, [&](Graph& g, const auto& x) { return AvgPool(g, x[0], {3, stride, 1}); });
  }
  CheckGradient({kImage}, [](Graph& g, const auto& x) { return AvgPool(g, x[0], {5, 3, 0}); });
  CheckGradient({kImage}, [](Graph& g, const auto& x) { return GlobalAvgPool(g, x[0]); });
  CheckGradient({kImage}, [](Graph& g, const auto& x) { return Relu(g, x[0]); });
}

TEST_CASE("concat, slice, subsample, stack, sum gradients", "[ops]") {
  CheckGradient({kImage, Shape{2, 4, 6, 5}}, [](Graph& g, const auto& x) { return Concat(g, {x[0], x[1], x[0]}); });
  CheckGradient({kImage}, [](Graph& g, const auto& x) { return Slice(g, x[0], 1, 1); });
  for (int64_t offset : {0, 1})
    CheckGradient({kImage}, [&](Graph& g, const auto& x) { return Subsample(g, x[0], offset); });
  CheckGradient({Shape{2, 3, 2, 1}, Shape{4, 3, 2, 1}}, [](Graph& g, const auto& x) {
    return Stack(g, {x[0], x[1], x[0]});
  });
  CheckGradient({kImage, kImage}, [](Graph& g, const auto& x) { return AddN(g, {x[0], Scale(g, x[1], 0.4), x[0]}); });
}

TEST_CASE("mixed operation gradients", "[ops]") {
  CheckGradient({kImage, kImage, Shape{2, 3}}, [](Graph& g, const auto& x) {
    return WeightedSum(g, {x[0], Relu(g, x[1]), x[1]}, Softmax(g, x[2]), {0, 4, 5});
  });
}

TEST_CASE("dropout and drop path gradients", "[ops]") {
  for (bool path : {false, true}) {
    Named extra;
    extra["rate"] = HostTensor::FromDoubles({DType::kF64, Shape{1}}, std::vector<double>{0.4});
    extra["rng"] = HostTensor::FromDoubles({DType::kI64, Shape{2}}, std::vector<double>{7, 3});
    CheckGradient(
        {kImage},
        [&](Graph& g, const auto& x) {
          const ValueId rate = g.Input("rate", {DType::kF64, Shape{1}}), rng = g.Input("rng", {DType::kI64, Shape{2}});
          return path ? ScaleSamples(g, x[0], DropPath(g, rate, rng, {5, kImage.n()}))
                      : Dropout(g, x[0], rate, rng, {5});
        },
        extra);
  }
}

TEST_CASE("cross entropy gradients", "[ops]") {
  for (double smoothing : {0.0, 0.1}) {
    Named extra;
    extra["labels"] = HostTensor::FromDoubles({DType::kI32, Shape{3}}, std::vector<double>{0, 4, 2});
    CheckGradient(
        {Shape{3, 5}},
        [&](Graph& g, const auto& x) {
          return CrossEntropy(g, x[0], g.Input("labels", {DType::kI32, Shape{3}}), smoothing);
        },
        extra);
  }
}

TEST_CASE("differentiation builds only what is wanted", "[ops]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, kImage});
  const ValueId weights = graph.Input("w", {DType::kF64, Shape{3, 3, 1, 1}});
  const ValueId alphas = graph.Input("alphas", {DType::kF64, Shape{1, 2}});
  const ValueId conv = Conv2d(graph, x, weights, {});
  const ValueId sum = WeightedSum(graph, {conv, x}, Softmax(graph, alphas), {0, 1});
  const ValueId diff = graph.Input("diff", graph.desc(sum));
  const auto gradients = DifferentiateFrom(graph, sum, diff, {alphas});
  CHECK(graph.shape(gradients[0]) == Shape{1, 2});
  for (const ir::Node& node : graph.nodes()) {
    CHECK(node.kind != ir::OpKind::kConv2dBwdData);
    CHECK(node.kind != ir::OpKind::kConv2dBwdWeights);
    CHECK(node.kind != ir::OpKind::kScaleByWeight);
  }
}

TEST_CASE("equal nodes are one, random ones are not", "[ir]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, kImage});
  CHECK(Relu(graph, x) == Relu(graph, x));
  CHECK(MaxPool(graph, x, {3, 1, 1}) != MaxPool(graph, x, {3, 2, 1}));
  const ValueId rate = graph.Input("rate", {DType::kF64, Shape{1}}), rng = graph.Input("rng", {DType::kI64, Shape{2}});
  CHECK(Dropout(graph, x, rate, rng, {1}) != Dropout(graph, x, rate, rng, {2}));
  CHECK(ir::Attributes::FromString(graph.nodes().back().attributes.ToString()) == graph.nodes().back().attributes);
}

}  // namespace
}  // namespace pdarts::ops
