// A dropped skip connection that only normalised sums read: they draw its mask themselves, so that the dropped tensor
// need not exist.
#include <optional>

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

// One that drops no term yet.
bool IsSum(const Node& node) {
  if (node.kind != OpKind::kNormalizedSum && node.kind != OpKind::kNormalizedSumBwd) return false;
  return std::get<std::vector<int64_t>>(node.attributes.Get("drops")).empty();
}

class Dropper {
 public:
  explicit Dropper(const ir::Graph& graph) : graph_(graph), rebuilder_(graph), uses_(graph) {}

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id)
      if (!uses_.Live(id) || !IsSum(graph_.node(id)) || !Rewrite(graph_.node(id))) rebuilder_.Copy(id);
    return DeadCode(rebuilder_.Finish());
  }

 private:
  // The dropout of a whole value that sums alone read, none as their diff_dst. It has rate and rng in common with the
  // first one found.
  const Node* DropoutOf(ValueId value) {
    const Node& node = graph_.node(graph_.value(value).producer);
    if (node.kind != OpKind::kDropout || node.inputs.size() != 3) return nullptr;
    const bool sums =
        uses_.ReadOnlyBy(value, [&](const Node& reader) { return IsSum(reader) && reader.inputs[0] != value; });
    if (!sums) return nullptr;
    if (!common_) common_ = {node.inputs[1], node.inputs[2]};
    return *common_ == std::pair(node.inputs[1], node.inputs[2]) ? &node : nullptr;
  }

  // False for a sum without a dropped term.
  bool Rewrite(const Node& sum) {
    const auto& normalized = std::get<std::vector<int64_t>>(sum.attributes.Get("normalized"));
    std::vector<int64_t> drops(normalized.size(), -1);
    std::vector<ValueId> inputs = {rebuilder_.Map(sum.inputs[0])};
    bool any = false;
    for (size_t k = 0, input = 1; k < normalized.size(); ++k) {
      const Node* dropout = normalized[k] != 0 ? nullptr : DropoutOf(sum.inputs[input]);
      if (dropout != nullptr) drops[k] = dropout->attributes.Int("op_id"), any = true;
      inputs.push_back(rebuilder_.Map(dropout != nullptr ? dropout->inputs[0] : sum.inputs[input]));
      ++input;
      for (int64_t i = 0; i < 2 * normalized[k]; ++i) inputs.push_back(rebuilder_.Map(sum.inputs[input++]));
    }
    if (!any) return false;
    inputs.insert(inputs.end(), {rebuilder_.Map(common_->first), rebuilder_.Map(common_->second)});
    ir::Attributes attributes = sum.attributes;
    attributes.Set("drops", drops);
    const ir::Graph::Scope scope(rebuilder_.graph(), sum.name);
    const std::vector<ValueId> outputs =
        ops::Emit(rebuilder_.graph(), sum.kind, std::move(attributes), std::move(inputs));
    for (size_t i = 0; i < outputs.size(); ++i) rebuilder_.Replace(sum.outputs[i], outputs[i]);
    return true;
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::optional<std::pair<ValueId, ValueId>> common_;  // rate and rng
};

}  // namespace

ir::Graph DropInSums(const ir::Graph& graph) { return Dropper(graph).Run(); }

}  // namespace pdarts::passes
