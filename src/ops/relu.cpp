// relu: max(src, 0); backward: diff_dst where dst > 0, else 0.
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

void Reference(const ReferenceContext& c) {
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i) c.out<T>(0)[i] = c.in<T>(0)[i] > 0 ? c.in<T>(0)[i] : T{0};
  });
}

// Inputs: diff_dst, dst.
void ReferenceBwd(const ReferenceContext& c) {
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i) c.out<T>(0)[i] = c.in<T>(1)[i] > 0 ? c.in<T>(0)[i] : T{0};
  });
}

void Gradient(GradientContext& c) {
  c.Contribute(0, Emit(c.graph(), ir::OpKind::kReluBwd, {}, {c.diff(0), c.node().outputs[0]})[0]);
}

}  // namespace

const OpDefinition kReluDefinition{SameAsFirst, Gradient, Reference};
const OpDefinition kReluBwdDefinition{SameAsFirst, nullptr, ReferenceBwd};

ValueId Relu(Graph& graph, ValueId src) { return Emit(graph, ir::OpKind::kRelu, {}, {src})[0]; }

}  // namespace pdarts::ops
