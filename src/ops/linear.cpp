// linear: dst[n][o] = sum_k src[n][k] weights[o][k] + bias[o], and its two backward ops.
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;
using tensor::TensorDesc;

std::vector<TensorDesc> Infer(const ir::Attributes&, std::span<const TensorDesc> in) {
  PD_CHECK(in[0].shape.rank() == 2 && in[0].shape[1] == in[1].shape[1] && in[2].shape == Shape{in[1].shape[0]},
           "src {} weights {}", in[0].shape.ToString(), in[1].shape.ToString());
  return {{in[0].dtype, Shape{in[0].shape[0], in[1].shape[0]}}};
}

std::vector<TensorDesc> InferBwdData(const ir::Attributes&, std::span<const TensorDesc> in) {
  return {{in[0].dtype, Shape{in[0].shape[0], in[1].shape[1]}}};
}

std::vector<TensorDesc> InferBwdWeights(const ir::Attributes&, std::span<const TensorDesc> in) {
  return {{in[0].dtype, Shape{in[1].shape[1], in[0].shape[1]}}, {in[0].dtype, Shape{in[1].shape[1]}}};
}

void Reference(const ReferenceContext& c) {
  const int64_t rows = c.in_shape(0)[0], depth = c.in_shape(0)[1], outputs = c.in_shape(1)[0];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t n = 0; n < rows; ++n)
      for (int64_t o = 0; o < outputs; ++o) {
        double sum = c.in<T>(2)[o];
        for (int64_t k = 0; k < depth; ++k)
          sum += static_cast<double>(c.in<T>(0)[n * depth + k]) * c.in<T>(1)[o * depth + k];
        c.out<T>(0)[n * outputs + o] = static_cast<T>(sum);
      }
  });
}

void ReferenceBwdData(const ReferenceContext& c) {
  const int64_t rows = c.in_shape(0)[0], outputs = c.in_shape(0)[1], depth = c.in_shape(1)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t n = 0; n < rows; ++n)
      for (int64_t k = 0; k < depth; ++k) {
        double sum = 0;
        for (int64_t o = 0; o < outputs; ++o)
          sum += static_cast<double>(c.in<T>(0)[n * outputs + o]) * c.in<T>(1)[o * depth + k];
        c.out<T>(0)[n * depth + k] = static_cast<T>(sum);
      }
  });
}

void ReferenceBwdWeights(const ReferenceContext& c) {
  const int64_t rows = c.in_shape(0)[0], depth = c.in_shape(0)[1], outputs = c.in_shape(1)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t o = 0; o < outputs; ++o) {
      double bias = 0;
      for (int64_t n = 0; n < rows; ++n) bias += c.in<T>(1)[n * outputs + o];
      c.out<T>(1)[o] = static_cast<T>(bias);
      for (int64_t k = 0; k < depth; ++k) {
        double sum = 0;
        for (int64_t n = 0; n < rows; ++n)
          sum += static_cast<double>(c.in<T>(0)[n * depth + k]) * c.in<T>(1)[n * outputs + o];
        c.out<T>(0)[o * depth + k] = static_cast<T>(sum);
      }
    }
  });
}

void Gradient(GradientContext& c) {
  const std::vector<ValueId> in = c.node().inputs;
  if (c.wants(0)) c.Contribute(0, Emit(c.graph(), ir::OpKind::kLinearBwdData, {}, {c.diff(0), in[1]})[0]);
  if (c.wants(1) || c.wants(2)) {
    const std::vector<ValueId> diffs = Emit(c.graph(), ir::OpKind::kLinearBwdWeights, {}, {in[0], c.diff(0)});
    if (c.wants(1)) c.Contribute(1, diffs[0]);
    if (c.wants(2)) c.Contribute(2, diffs[1]);
  }
}

int64_t Terms(const Graph& graph, const ir::Node& node) {
  const Shape &a = graph.shape(node.inputs[0]), &b = graph.shape(node.inputs[1]);
  if (node.kind == ir::OpKind::kLinear) return a[0] * a[1] * b[0];
  return a[0] * a[1] * b[1];
}

}  // namespace

const OpDefinition kLinearDefinition{Infer, Gradient, Reference, Terms};
const OpDefinition kLinearBwdDataDefinition{InferBwdData, nullptr, ReferenceBwdData, Terms};
const OpDefinition kLinearBwdWeightsDefinition{InferBwdWeights, nullptr, ReferenceBwdWeights, Terms};

ValueId Linear(Graph& graph, ValueId src, ValueId weights, ValueId bias) {
  return Emit(graph, ir::OpKind::kLinear, {}, {src, weights, bias})[0];
}

}  // namespace pdarts::ops
