// SGD with momentum and Adam as PyTorch computes them, after its clip_grad_norm_ over all tensors together: the
// gradients are multiplied by min(1, clip / (norm + 1e-6)). One node for all tensors; every output replaces the input
// of the same place.
#include <algorithm>
#include <cmath>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;

std::vector<TensorDesc> InferSumSquares(const ir::Attributes&, std::span<const TensorDesc>) {
  return {{DType::kF64, Shape{1}}};
}

void ReferenceSumSquares(const ReferenceContext& c) {
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    double sum = 0;
    for (size_t k = 0; k < c.inputs.size(); ++k) {
      const T* src = c.in<T>(static_cast<int>(k));
      for (int64_t i = 0; i < c.in_shape(static_cast<int>(k)).elements(); ++i)
        sum += static_cast<double>(src[i]) * src[i];
    }
    c.out<double>(0)[0] = sum;
  });
}

double ClipFactor(double sum_squares, double clip) { return std::min(1.0, clip / (std::sqrt(sum_squares) + 1e-6)); }

// Inputs: `parts` groups of k tensors (parameters, diffs, state...), then scalars. Outputs: the groups but the diffs.
std::vector<TensorDesc> InferUpdate(std::span<const TensorDesc> in, size_t parts, size_t scalars) {
  PD_CHECK(in.size() > scalars && (in.size() - scalars) % parts == 0, "{} inputs", in.size());
  const size_t k = (in.size() - scalars) / parts;
  std::vector<TensorDesc> out;
  for (size_t part = 0; part < parts; ++part) {
    for (size_t i = 0; i < k; ++i) {
      PD_CHECK(in[part * k + i] == in[i], "{} and {}", in[part * k + i].shape.ToString(), in[i].shape.ToString());
      if (part != 1) out.push_back(in[i]);
    }
  }
  return out;
}

void ReferenceSgd(const ReferenceContext& c) {
  const auto a = ir::Unpack<SgdAttributes>(c.node.attributes);
  const int k = static_cast<int>(c.outputs.size()) / 2;
  const double factor = ClipFactor(c.in<double>(3 * k)[0], a.clip), rate = c.in<double>(3 * k + 1)[0];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int t = 0; t < k; ++t)
      for (int64_t i = 0; i < c.in_shape(t).elements(); ++i) {
        const double p = c.in<T>(t)[i];
        const double m = a.momentum * c.in<T>(2 * k + t)[i] + c.in<T>(k + t)[i] * factor + a.weight_decay * p;
        c.out<T>(k + t)[i] = static_cast<T>(m);
        c.out<T>(t)[i] = static_cast<T>(p - rate * m);
      }
  });
}

void ReferenceAdam(const ReferenceContext& c) {
  const auto a = ir::Unpack<AdamAttributes>(c.node.attributes);
  const int k = static_cast<int>(c.outputs.size()) / 3;
  const double factor = ClipFactor(c.in<double>(4 * k)[0], a.clip), rate = c.in<double>(4 * k + 1)[0],
               count = c.in<double>(4 * k + 2)[0];
  const double correction1 = 1 - std::pow(a.beta1, count), correction2 = std::sqrt(1 - std::pow(a.beta2, count));
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int t = 0; t < k; ++t)
      for (int64_t i = 0; i < c.in_shape(t).elements(); ++i) {
        const double p = c.in<T>(t)[i], g = c.in<T>(k + t)[i] * factor + a.weight_decay * p;
        const double m = a.beta1 * c.in<T>(2 * k + t)[i] + (1 - a.beta1) * g;
        const double v = a.beta2 * c.in<T>(3 * k + t)[i] + (1 - a.beta2) * g * g;
        c.out<T>(t)[i] = static_cast<T>(p - rate / correction1 * m / (std::sqrt(v) / correction2 + a.epsilon));
        c.out<T>(k + t)[i] = static_cast<T>(m);
        c.out<T>(2 * k + t)[i] = static_cast<T>(v);
      }
  });
}

void Append(std::vector<ValueId>& to, const std::vector<ValueId>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

const OpDefinition kSumSquaresDefinition{InferSumSquares, nullptr, ReferenceSumSquares};
const OpDefinition kSgdDefinition{
    [](const ir::Attributes&, std::span<const TensorDesc> in) { return InferUpdate(in, 3, 2); }, nullptr, ReferenceSgd};
const OpDefinition kAdamDefinition{
    [](const ir::Attributes&, std::span<const TensorDesc> in) { return InferUpdate(in, 4, 3); }, nullptr,
    ReferenceAdam};

ValueId SumSquares(Graph& graph, const std::vector<ValueId>& srcs) {
  return Emit(graph, ir::OpKind::kSumSquares, {}, srcs)[0];
}

std::vector<ValueId> Sgd(Graph& graph, const SgdInputs& in, const SgdAttributes& attributes) {
  std::vector<ValueId> inputs = in.parameters;
  Append(inputs, in.diffs);
  Append(inputs, in.momenta);
  Append(inputs, {in.sum_squares, in.rate});
  return Emit(graph, ir::OpKind::kSgd, ir::Pack(attributes), std::move(inputs));
}

std::vector<ValueId> Adam(Graph& graph, const AdamInputs& in, const AdamAttributes& attributes) {
  std::vector<ValueId> inputs = in.parameters;
  Append(inputs, in.diffs);
  Append(inputs, in.first_moments);
  Append(inputs, in.second_moments);
  Append(inputs, {in.sum_squares, in.rate, in.count});
  return Emit(graph, ir::OpKind::kAdam, ir::Pack(attributes), std::move(inputs));
}

}  // namespace pdarts::ops
