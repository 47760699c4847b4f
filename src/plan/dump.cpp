#include "plan/plan.h"

namespace pdarts::plan {
namespace {

std::string Operand(const Plan& plan, const device::Backend& backend, ir::ValueId value) {
  const Place& place = plan.place(value);
  std::string where;
  switch (place.area) {
    case Area::kTemporary:
      where = fmt::format("@{}", place.offset);
      break;
    case Area::kSlot:
      where = plan.graph().slots()[place.index].name;
      break;
    case Area::kInput:
      where = "input " + plan.inputs()[place.index].name;
      break;
  }
  return fmt::format("%{}[{} {}]", value, where, backend.LayoutName(plan.layout(value)));
}

std::string Operands(const Plan& plan, const device::Backend& backend, const std::vector<ir::ValueId>& values) {
  std::string text;
  for (ir::ValueId value : values) text += (text.empty() ? "" : ", ") + Operand(plan, backend, value);
  return text;
}

}  // namespace

std::string Dump(const Plan& plan, const device::Backend& backend) {
  const PlanStats& stats = plan.stats();
  std::string text = fmt::format(
      "{} steps in {} order; temporary {} bytes, at most {} alive; inputs {}, slots {}\n"
      "reorders: {} of activations ({} bytes), {} of weights ({} bytes)\n",
      plan.steps().size(), stats.greedy_order ? "greedy" : "build", stats.temporary_bytes, stats.live_bytes,
      stats.input_bytes, stats.slot_bytes, stats.reorders.activations, stats.reorders.activation_bytes,
      stats.reorders.weights, stats.reorders.weight_bytes);
  for (size_t i = 0; i < plan.steps().size(); ++i) {
    const Step& step = plan.steps()[i];
    const ir::Node& node = plan.graph().node(step.node);
    const std::string attributes = node.attributes.ToString();
    text += fmt::format("{:4} {} <- {}({}){}", i, Operands(plan, backend, node.outputs), step.spec.name,
                        Operands(plan, backend, node.inputs), attributes.empty() ? "" : " " + attributes);
    if (step.workspace.bytes > 0) text += fmt::format(" workspace @{}+{}", step.workspace.offset, step.workspace.bytes);
    text += node.name.empty() ? "\n" : "  # " + node.name + "\n";
  }
  for (const auto& [name, value] : plan.graph().outputs())
    text += fmt::format("output {} = {}\n", name, Operand(plan, backend, value));
  return text;
}

}  // namespace pdarts::plan
