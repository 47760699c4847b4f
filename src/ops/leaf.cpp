// Leaves (inputs, slots, constants) and the two nodes that passes insert: reorder (a change of layout) and copy.
#include <algorithm>
#include <cstring>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

void FillReference(const ReferenceContext& context, double value) {
  const int64_t elements = context.out_shape(0).elements();
  tensor::DispatchFloat(context.graph.desc(context.node.outputs[0]).dtype, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(context.out<T>(0), elements, static_cast<T>(value));
  });
}

void CopyReference(const ReferenceContext& context) {
  std::memcpy(context.out<void>(0), context.in<void>(0), context.graph.desc(context.node.inputs[0]).bytes());
}

}  // namespace

const OpDefinition kInputDefinition{};
const OpDefinition kReadSlotDefinition{};
const OpDefinition kZerosDefinition{.reference = [](const ReferenceContext& context) { FillReference(context, 0); }};
const OpDefinition kOnesDefinition{.reference = [](const ReferenceContext& context) { FillReference(context, 1); }};
// In the reference every layout is plain, so a reorder is a copy.
const OpDefinition kReorderDefinition{.infer = SameAsFirst, .reference = CopyReference};
const OpDefinition kCopyDefinition{.infer = SameAsFirst, .reference = CopyReference};

ValueId Zeros(Graph& graph, const tensor::TensorDesc& desc) {
  ir::Attributes attributes;
  const auto dims = desc.shape.dims();
  attributes.Set("shape", std::vector<int64_t>(dims.begin(), dims.end()));  // tells zeros of different shapes apart
  attributes.Set("dtype", static_cast<int64_t>(desc.dtype));
  return graph.AddNode(ir::OpKind::kZeros, std::move(attributes), {}, {&desc, 1})[0];
}

}  // namespace pdarts::ops
