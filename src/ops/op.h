// What an op is: shape rule, gradient rule, reference kernel and cost. Each op's file in this folder is its
// specification.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace pdarts::ops {

// Shape rule: attributes and input descs to output descs. PD_CHECKs what cannot be.
using InferFunction = std::vector<tensor::TensorDesc> (*)(const ir::Attributes&, std::span<const tensor::TensorDesc>);

// What a gradient rule sees: a node, the gradients that reached its outputs, and which inputs want one. Contributions
// to the same value are added up (add_n) once all have come.
class GradientContext {
 public:
  virtual ~GradientContext() = default;
  virtual ir::Graph& graph() = 0;
  virtual const ir::Node& node() const = 0;        // a copy: the graph grows while gradients are built
  virtual ir::ValueId diff(int output) const = 0;  // kNoValue: no gradient reaches this output
  virtual bool wants(int input) const = 0;
  virtual void Contribute(int input, ir::ValueId diff_input) = 0;  // adds, never assigns
};
using GradientFunction = void (*)(GradientContext&);

// The naive kernel: plain layouts, float or double, written to be read. The oracle for every backend.
struct ReferenceContext {
  const ir::Graph& graph;
  const ir::Node& node;
  std::span<const void* const> inputs;
  std::span<void* const> outputs;

  template <class T>
  const T* in(int i) const {
    return static_cast<const T*>(inputs[i]);
  }
  template <class T>
  T* out(int i) const {
    return static_cast<T*>(outputs[i]);
  }
  const tensor::Shape& in_shape(int i) const { return graph.shape(node.inputs[i]); }
  const tensor::Shape& out_shape(int i) const { return graph.shape(node.outputs[i]); }
  tensor::DType dtype() const { return graph.desc(node.inputs.empty() ? node.outputs[0] : node.inputs[0]).dtype; }
};
using ReferenceFunction = void (*)(const ReferenceContext&);

// Multiply-adds of a node, by shapes alone; 0 for what is not a convolution or linear.
using MultiplyAddsFunction = int64_t (*)(const ir::Graph&, const ir::Node&);

struct OpDefinition {
  InferFunction infer = nullptr;
  GradientFunction gradient = nullptr;  // null: no gradient passes (integers, measures, updates)
  ReferenceFunction reference = nullptr;
  MultiplyAddsFunction multiply_adds = nullptr;
};

const OpDefinition& Definition(ir::OpKind kind);
int64_t MultiplyAdds(const ir::Graph& graph, const ir::Node& node);

// Adds a node with inferred outputs.
std::vector<ir::ValueId> Emit(ir::Graph& graph, ir::OpKind kind, ir::Attributes attributes,
                              std::vector<ir::ValueId> inputs);

}  // namespace pdarts::ops
