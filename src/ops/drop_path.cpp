// Drop path (Larsson et al. 2017, with the scaling of dropout): drop_path draws which samples keep a path,
// scale_samples multiplies by it. Linear in src for given factors, so the backward is the same node on the gradient.
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::Shape;

std::vector<tensor::TensorDesc> InferFactors(const ir::Attributes& packed, std::span<const tensor::TensorDesc> in) {
  PD_CHECK(in.size() == 2 && in[0].dtype == DType::kF64 && (in[1] == tensor::TensorDesc{DType::kI64, Shape{2}}),
           "rate and random state");
  return {{DType::kF64, Shape{ir::Unpack<DropPathAttributes>(packed).samples}}};
}

void ReferenceFactors(const ReferenceContext& c) {
  const auto a = ir::Unpack<DropPathAttributes>(c.node.attributes);
  const auto rate = static_cast<float>(c.in<double>(0)[0]);
  const int64_t* rng = c.in<int64_t>(1);
  const base::DropoutDraw draw{base::PhiloxKey(static_cast<uint64_t>(rng[0]), base::RandomStream::kDropPath),
                               static_cast<uint32_t>(a.op_id), static_cast<uint32_t>(rng[1])};
  for (int64_t i = 0; i < a.samples; ++i)
    c.out<double>(0)[i] = base::DropoutMaskKeep(draw, rate, i) ? 1 / (1 - base::DropoutRate(rate)) : 0;
}

std::vector<tensor::TensorDesc> InferScale(const ir::Attributes&, std::span<const tensor::TensorDesc> in) {
  PD_CHECK(in.size() == 2 && (in[1] == tensor::TensorDesc{DType::kF64, Shape{in[0].shape.n()}}), "factors of {}",
           in[0].shape.ToString());
  return {in[0]};
}

void ReferenceScale(const ReferenceContext& c) {
  const Shape s = c.in_shape(0);
  const int64_t size = s.elements() / s.n();
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < s.elements(); ++i) {
      const auto factor = static_cast<T>(c.in<double>(1)[i / size]);
      c.out<T>(0)[i] = factor == T{0} ? T{0} : c.in<T>(0)[i] * factor;
    }
  });
}

void GradientScale(GradientContext& c) { c.Contribute(0, ScaleSamples(c.graph(), c.diff(0), c.node().inputs[1])); }

}  // namespace

const OpDefinition kDropPathDefinition{InferFactors, nullptr, ReferenceFactors};
const OpDefinition kScaleSamplesDefinition{InferScale, GradientScale, ReferenceScale};

ValueId DropPath(Graph& graph, ValueId rate, ValueId rng, const DropPathAttributes& attributes) {
  return Emit(graph, ir::OpKind::kDropPath, ir::Pack(attributes), {rate, rng})[0];
}

ValueId ScaleSamples(Graph& graph, ValueId src, ValueId factors) {
  return Emit(graph, ir::OpKind::kScaleSamples, {}, {src, factors})[0];
}

}  // namespace pdarts::ops
