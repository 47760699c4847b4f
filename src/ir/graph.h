// The static graph: nodes in the order they were built (always a topological order), values written once, slots that
// persist.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/attributes.h"
#include "ir/op_kind.h"
#include "tensor/tensor.h"

namespace pdarts::ir {

using ValueId = int32_t;
using NodeId = int32_t;
using SlotId = int32_t;
inline constexpr ValueId kNoValue = -1;

struct Value {
  tensor::TensorDesc desc;
  NodeId producer = -1;
  int output = 0;  // which output of the producer
};

struct Node {
  OpKind kind{};
  Attributes attributes;
  std::vector<ValueId> inputs, outputs;
  std::string name;  // where it was built ("cells.0.preprocess0.op.1"), for people only
};

// What persists between runs. A slot is read as a value (its content before the step) and written by at most one
// assignment at the end of the step. Slots of several graphs are the same storage when they have the same name.
enum class SlotRole : uint8_t { kParameter, kAlpha, kStatistic, kOptimizer };

struct Slot {
  std::string
      name;  // the published PyTorch implementation's parameter name; optimizer state: "momentum." + that name, ...
  SlotRole role{};
  tensor::TensorDesc desc;
  std::string
      init;  // how it starts: "zeros", "ones", "normal:0.001", "kaiming_conv", "linear:FAN_IN" (see nn/initialize.h)
};

class Graph {
 public:
  // Adds a node, or returns the outputs of the equal node that stands already: same kind, attributes, inputs. Random
  // nodes carry an op id among their attributes, so two of them are never equal. Prefer ops::Emit, which infers the
  // descs.
  std::vector<ValueId> AddNode(OpKind kind, Attributes attributes, std::vector<ValueId> inputs,
                               std::span<const tensor::TensorDesc> outputs);

  ValueId Input(const std::string& name, tensor::TensorDesc desc, tensor::Layout layout = tensor::Layout::kPlain);
  SlotId AddSlot(Slot slot);  // the same name again: must be the same slot
  ValueId ReadSlot(SlotId slot);
  void Assign(SlotId slot, ValueId value);  // at most once a slot
  void Output(const std::string& name, ValueId value);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Value>& values() const { return values_; }
  const std::vector<Slot>& slots() const { return slots_; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  const Value& value(ValueId id) const { return values_[id]; }
  const tensor::TensorDesc& desc(ValueId id) const { return values_[id].desc; }
  const tensor::Shape& shape(ValueId id) const { return values_[id].desc.shape; }
  std::optional<SlotId> FindSlot(const std::string& name) const;
  const std::vector<std::pair<SlotId, ValueId>>& assignments() const { return assignments_; }
  const std::vector<std::pair<std::string, ValueId>>& outputs() const { return outputs_; }

  // Names given to nodes built while a Scope lives are prefixed: Scope cell(graph, "cells.0").
  class Scope {
   public:
    Scope(Graph& graph, const std::string& name);
    ~Scope() { graph_.scope_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Graph& graph_;
    size_t length_;
  };
  const std::string& scope() const { return scope_; }
  std::string Scoped(const std::string& name) const { return scope_.empty() ? name : scope_ + "." + name; }

 private:
  std::vector<Node> nodes_;
  std::vector<Value> values_;
  std::vector<Slot> slots_;
  std::unordered_map<std::string, SlotId> slot_by_name_;
  std::unordered_multimap<uint64_t, NodeId> node_by_hash_;
  std::vector<std::pair<SlotId, ValueId>> assignments_;
  std::vector<std::pair<std::string, ValueId>> outputs_;
  std::string scope_;
};

// Checks the graph's invariants (inputs before use, descs, one assignment a slot, matching descs); PD_CHECKs, naming
// the node.
void Verify(const Graph& graph);

// One line a node: "%12 = relu(%11) : f32 6x16x32x32  # cells.0". Stable: used for golden dumps.
std::string ToString(const Graph& graph);

}  // namespace pdarts::ir
