// Separable nodes that read a cell's concat read its parts, and give each part its own gradient where all that reads
// the gradient is slices: neither the concat nor the slices need exist then.
#include <algorithm>
#include <map>

#include "ops/op.h"
#include "ops/ops.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"

namespace pdarts::passes {
namespace {

using ir::Node;
using ir::NodeId;
using ir::OpKind;
using ir::ValueId;

class ConcatBypass {
 public:
  explicit ConcatBypass(const ir::Graph& graph)
      : graph_(graph), rebuilder_(graph), uses_(graph), gone_(graph.nodes().size()) {
    for (NodeId id = 0; id < uses_.Nodes(); ++id)
      if (uses_.Live(id) && graph.node(id).kind == OpKind::kConcat) Find(id);
  }

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (const auto it = concats_.find(id); it != concats_.end())
        Emit(graph_.node(id), graph_.node(it->second));
      else if (uses_.Live(id) && gone_[id] == 0)
        rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  // A concat of equal parts that only such nodes read.
  void Find(NodeId id) {
    const Node& concat = graph_.node(id);
    const ValueId dst = concat.outputs[0];
    const auto channels = [&](ValueId v) { return graph_.shape(v).c(); };
    const bool equal = std::ranges::all_of(concat.inputs, [&](ValueId v) { return channels(v) == Part(concat); });
    if (concat.inputs.size() < 2 || !equal) return;
    if (!uses_.ReadOnlyBy(dst, [&](const Node& reader) { return Fits(reader, concat); })) return;
    gone_[id] = 1;
    for (NodeId reader : uses_.Readers(dst)) {
      concats_[reader] = id;
      if (graph_.node(reader).kind != OpKind::kSeparableBwd) continue;
      for (NodeId slice : uses_.Readers(graph_.node(reader).outputs[0])) gone_[slice] = 1;
    }
  }

  int64_t Part(const Node& concat) const { return graph_.shape(concat.inputs[0]).c(); }

  bool Fits(const Node& reader, const Node& concat) const {
    const ValueId dst = concat.outputs[0], diff = reader.outputs[0];
    if (reader.kind != OpKind::kSeparable && reader.kind != OpKind::kSeparableBwd) return false;
    if (reader.inputs[0] != dst || std::ranges::count(reader.inputs, dst) != 1) return false;
    if (reader.attributes.Int("normalized") != 0 || reader.attributes.Int("sources") != 1) return false;
    if (reader.kind == OpKind::kSeparable) return true;
    return uses_.ReadOnlyBy(diff, [&](const Node& slice) {
      return slice.kind == OpKind::kSlice && slice.attributes.Int("channels") == Part(concat) &&
             slice.attributes.Int("first_channel") % Part(concat) == 0;
    });
  }

  void Emit(const Node& node, const Node& concat) {
    const auto parts = static_cast<std::ptrdiff_t>(concat.inputs.size());
    std::vector<ValueId> inputs = concat.inputs;
    inputs.insert(inputs.end(), node.inputs.begin() + 1, node.inputs.end());
    for (ValueId& input : inputs) input = rebuilder_.Map(input);
    ir::Attributes attributes = node.attributes;
    attributes.Set("sources", int64_t{parts});
    const ir::Graph::Scope scope(rebuilder_.graph(), node.name);
    const auto outputs = ops::Emit(rebuilder_.graph(), node.kind, std::move(attributes), std::move(inputs));
    size_t next = 0;
    if (node.kind == OpKind::kSeparableBwd) {
      for (NodeId id : uses_.Readers(node.outputs[0])) {
        const Node& slice = graph_.node(id);
        const int64_t part = slice.attributes.Int("first_channel") / Part(concat);
        rebuilder_.Replace(slice.outputs[0], outputs[static_cast<size_t>(part)]);
      }
      next = concat.inputs.size();
    }
    for (size_t own = next > 0 ? 1 : 0; own < node.outputs.size(); ++own)
      rebuilder_.Replace(node.outputs[own], outputs[next++]);
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::vector<char> gone_;            // concats and slices that nobody needs any more
  std::map<NodeId, NodeId> concats_;  // by the separable node, the concat it read
};

}  // namespace

ir::Graph BypassConcat(const ir::Graph& graph) { return ConcatBypass(graph).Run(); }

}  // namespace pdarts::passes
