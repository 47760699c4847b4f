// Ops that stand for several others: what they mean is those others, as a graph of their own, the body.
#pragma once

#include <span>
#include <vector>

#include "ops/op.h"

namespace pdarts::ops {

// Runs `body` node by node with the reference kernels. Its inputs are taken in the order they were added, its outputs
// are copied in order. Plain layouts.
void RunBody(const ir::Graph& body, std::span<const void* const> inputs, std::span<void* const> outputs);

// Hands out a node's inputs in their order as inputs of a body; what a node lacks is kNoValue.
class BodyInputs {
 public:
  BodyInputs(ir::Graph& body, std::span<const tensor::TensorDesc> descs) : body_(body), descs_(descs) {}
  ir::ValueId Next(bool present = true);
  bool AllTaken() const { return next_ == descs_.size(); }

 private:
  ir::Graph& body_;
  std::span<const tensor::TensorDesc> descs_;
  size_t next_ = 0;
};

std::vector<tensor::TensorDesc> InputDescs(const ir::Graph& graph, const ir::Node& node);
std::vector<tensor::TensorDesc> OutputDescs(const ir::Graph& body);

// The shape rule and the reference kernel of an op with this body.
using BodyFunction = ir::Graph (*)(const ir::Attributes&, std::span<const tensor::TensorDesc>);

template <BodyFunction kBody>
std::vector<tensor::TensorDesc> InferByBody(const ir::Attributes& attributes, std::span<const tensor::TensorDesc> in) {
  return OutputDescs(kBody(attributes, in));
}

template <BodyFunction kBody>
void RunByBody(const ReferenceContext& c) {
  RunBody(kBody(c.node.attributes, InputDescs(c.graph, c.node)), c.inputs, c.outputs);
}

}  // namespace pdarts::ops
