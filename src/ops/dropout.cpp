// dropout (Srivastava et al. 2014): kept elements are divided by 1 - rate, others are 0. Linear in src
// for a given mask, so the backward is the same node on the gradient.
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;

std::vector<tensor::TensorDesc> Infer(const ir::Attributes& packed, std::span<const tensor::TensorDesc> in) {
  const int64_t index = ir::Unpack<DropoutAttributes>(packed).index;
  PD_CHECK(in.size() == (index < 0 ? 3 : 4) && (index < 0 || index < in[3].shape.elements()), "weight {}", index);
  PD_CHECK(in[0].shape.rank() == 4 && in[1].dtype == tensor::DType::kF64 && in[2].dtype == tensor::DType::kI64 &&
           in[2].shape.elements() == 2);
  return {in[0]};
}

void Reference(const ReferenceContext& c) {
  const auto a = ir::Unpack<DropoutAttributes>(c.node.attributes);
  const Shape s = c.in_shape(0);
  const ReferenceMask mask(c, 1, a.op_id);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T factor = (a.index < 0 ? T{1} : c.in<T>(3)[a.index]) / (T{1} - static_cast<T>(mask.rate()));
    for (int64_t i = 0; i < s.elements(); ++i) c.out<T>(0)[i] = mask.Keeps(s, i) ? c.in<T>(0)[i] * factor : T{0};
  });
}

void Gradient(GradientContext& c) {
  const ir::Node node = c.node();
  PD_CHECK(node.inputs.size() == 3, "a pass runs before the gradients");
  c.Contribute(0,
               Emit(c.graph(), ir::OpKind::kDropout, node.attributes, {c.diff(0), node.inputs[1], node.inputs[2]})[0]);
}

}  // namespace

ReferenceMask::ReferenceMask(const ReferenceContext& context, int rate, int64_t op_id)
    : rate_(context.in<double>(rate)[0]),
      draw_{base::PhiloxKey(static_cast<uint64_t>(context.in<int64_t>(rate + 1)[0]), base::RandomStream::kDropout),
            static_cast<uint32_t>(op_id), static_cast<uint32_t>(context.in<int64_t>(rate + 1)[1])} {}

bool ReferenceMask::Keeps(const Shape& s, int64_t i) const {
  const int64_t pixels = s.h() * s.w(), sample = i / pixels / s.c();
  const int64_t element = (sample * pixels + i % pixels) * s.c() + i / pixels % s.c();
  return base::DropoutMaskKeep(draw_, static_cast<float>(rate_), element);
}

const OpDefinition kDropoutDefinition{Infer, Gradient, Reference};

ValueId Dropout(Graph& graph, ValueId src, ValueId rate, ValueId rng, const DropoutAttributes& attributes) {
  return Emit(graph, ir::OpKind::kDropout, ir::Pack(attributes), {src, rate, rng})[0];
}

}  // namespace pdarts::ops
