// add_n: the sum of any number of equal shapes. scale: a constant factor.
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

struct ScaleAttributes {
  double factor = 1;
  template <class F>
  void Visit(F&& f) {
    f("factor", factor);
  }
};

std::vector<tensor::TensorDesc> InferAdd(const ir::Attributes&, std::span<const tensor::TensorDesc> in) {
  for (const tensor::TensorDesc& desc : in)
    PD_CHECK(desc == in[0], "{} and {}", desc.shape.ToString(), in[0].shape.ToString());
  return {in[0]};
}

void ReferenceAdd(const ReferenceContext& c) {
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < c.inputs.size(); ++k) sum += c.in<T>(static_cast<int>(k))[i];
      c.out<T>(0)[i] = static_cast<T>(sum);
    }
  });
}

void GradientAdd(GradientContext& c) {
  for (int i = 0; i < static_cast<int>(c.node().inputs.size()); ++i)
    if (c.wants(i)) c.Contribute(i, c.diff(0));
}

void ReferenceScale(const ReferenceContext& c) {
  const double factor = ir::Unpack<ScaleAttributes>(c.node.attributes).factor;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i) c.out<T>(0)[i] = c.in<T>(0)[i] * static_cast<T>(factor);
  });
}

void GradientScale(GradientContext& c) {
  c.Contribute(0, Scale(c.graph(), c.diff(0), ir::Unpack<ScaleAttributes>(c.node().attributes).factor));
}

}  // namespace

const OpDefinition kAddNDefinition{InferAdd, GradientAdd, ReferenceAdd};
const OpDefinition kScaleDefinition{SameAsFirst, GradientScale, ReferenceScale};

ValueId AddN(Graph& graph, const std::vector<ValueId>& srcs) {
  PD_CHECK(!srcs.empty());
  return srcs.size() == 1 ? srcs[0] : Emit(graph, ir::OpKind::kAddN, {}, srcs)[0];
}

ValueId Scale(Graph& graph, ValueId src, double factor) {
  return Emit(graph, ir::OpKind::kScale, ir::Pack(ScaleAttributes{factor}), {src})[0];
}

}  // namespace pdarts::ops
