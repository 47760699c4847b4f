// Reverse-mode differentiation by graph construction: walks the nodes back from the loss and asks each for its gradient
// rule, but only where a wanted value lies below. What reaches a value is collected and added up when its producer is
// visited.
#include <algorithm>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

class Differentiator final : public GradientContext {
 public:
  Differentiator(Graph& graph, const std::vector<ValueId>& wanted) : graph_(graph) {
    const size_t values = graph.values().size();
    needed_.assign(values, false);
    contributions_.resize(values);
    for (ValueId value : wanted) needed_[value] = true;
    for (const ir::Node& node : graph.nodes()) {
      const bool below =
          std::any_of(node.inputs.begin(), node.inputs.end(), [this](ValueId input) { return needed_[input]; });
      if (!below || Definition(node.kind).gradient == nullptr) continue;
      for (ValueId output : node.outputs) needed_[output] = true;
    }
  }

  void Run(ValueId from, ValueId diff, const std::vector<ValueId>& wanted) {
    contributions_[from].push_back(diff);
    for (ir::NodeId id = graph_.value(from).producer; id >= 0; --id) Visit(id);
    // Wanted leaves were visited too, so that every wanted value's contributions are summed.
    for (ValueId value : wanted) result_.push_back(Total(value));
  }

  const std::vector<ValueId>& result() const { return result_; }

  Graph& graph() override { return graph_; }
  const ir::Node& node() const override { return node_; }
  ValueId diff(int output) const override { return diffs_[output]; }
  bool wants(int input) const override { return needed_[node_.inputs[input]]; }
  void Contribute(int input, ValueId diff_input) override {
    PD_CHECK(graph_.shape(diff_input) == graph_.shape(node_.inputs[input]), "{} input {}", Name(node_.kind), input);
    contributions_[node_.inputs[input]].push_back(diff_input);
  }

 private:
  void Visit(ir::NodeId id) {
    node_ = graph_.node(id);
    const GradientFunction gradient = Definition(node_.kind).gradient;
    if (gradient == nullptr) return;
    diffs_.clear();
    bool any = false;
    for (ValueId output : node_.outputs) {
      diffs_.push_back(needed_[output] ? Total(output) : ir::kNoValue);
      any = any || diffs_.back() != ir::kNoValue;
    }
    if (!any) return;
    const std::string name = node_.name;
    Graph::Scope scope(graph_, name.empty() ? "bwd" : "bwd." + name);
    gradient(*this);
  }

  ValueId Total(ValueId value) {
    std::vector<ValueId>& parts = contributions_[value];
    if (parts.empty()) return ir::kNoValue;
    if (parts.size() > 1) parts = {AddN(graph_, parts)};
    return parts[0];
  }

  Graph& graph_;
  std::vector<bool> needed_;
  std::vector<std::vector<ValueId>> contributions_;
  ir::Node node_;
  std::vector<ValueId> diffs_, result_;
};

}  // namespace

std::vector<ValueId> DifferentiateFrom(Graph& graph, ValueId value, ValueId diff, const std::vector<ValueId>& wanted) {
  PD_CHECK(graph.shape(value) == graph.shape(diff), "{} and {}", graph.shape(value).ToString(),
           graph.shape(diff).ToString());
  Differentiator differentiator(graph, wanted);
  differentiator.Run(value, diff, wanted);
  return differentiator.result();
}

std::vector<ValueId> Differentiate(Graph& graph, ValueId loss, const std::vector<ValueId>& wanted) {
  PD_CHECK(graph.shape(loss).elements() == 1, "loss of shape {}", graph.shape(loss).ToString());
  const tensor::TensorDesc desc = graph.desc(loss);
  ir::Attributes attributes;
  attributes.Set("dtype", static_cast<int64_t>(desc.dtype));
  const ValueId one = graph.AddNode(ir::OpKind::kOnes, std::move(attributes), {}, {&desc, 1})[0];
  return DifferentiateFrom(graph, loss, one, wanted);
}

}  // namespace pdarts::ops
