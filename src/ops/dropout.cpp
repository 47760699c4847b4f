// dropout (Srivastava et al. 2014) and drop path: kept elements are divided by 1 - rate, others are 0. Linear in src
// for a given mask, so the backward is the same node on the gradient.
#include "base/dropout_mask.h"
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
  const double rate = c.in<double>(1)[0];
  const auto stream = a.per_sample ? base::RandomStream::kDropPath : base::RandomStream::kDropout;
  const base::DropoutDraw draw{base::PhiloxKey(static_cast<uint64_t>(c.in<int64_t>(2)[0]), stream),
                               static_cast<uint32_t>(a.op_id), static_cast<uint32_t>(c.in<int64_t>(2)[1])};
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T factor = (a.index < 0 ? T{1} : c.in<T>(3)[a.index]) / (T{1} - static_cast<T>(rate));
    int64_t i = 0;
    for (int64_t n = 0; n < s.n(); ++n)
      for (int64_t channel = 0; channel < s.c(); ++channel)
        for (int64_t p = 0; p < s.h() * s.w(); ++p, ++i) {
          const int64_t element = a.per_sample ? n : (n * s.h() * s.w() + p) * s.c() + channel;
          c.out<T>(0)[i] =
              base::DropoutMaskKeep(draw, static_cast<float>(rate), element) ? c.in<T>(0)[i] * factor : T{0};
        }
  });
}

void Gradient(GradientContext& c) {
  const ir::Node node = c.node();
  PD_CHECK(node.inputs.size() == 3, "a pass runs before the gradients");
  c.Contribute(0,
               Emit(c.graph(), ir::OpKind::kDropout, node.attributes, {c.diff(0), node.inputs[1], node.inputs[2]})[0]);
}

}  // namespace

const OpDefinition kDropoutDefinition{Infer, Gradient, Reference};

ValueId Dropout(Graph& graph, ValueId src, ValueId rate, ValueId rng, const DropoutAttributes& attributes) {
  return Emit(graph, ir::OpKind::kDropout, ir::Pack(attributes), {src, rate, rng})[0];
}

}  // namespace pdarts::ops
