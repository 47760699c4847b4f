#include <chrono>

#include "base/hash.h"
#include "passes/schedule.h"
#include "plan/plan.h"

namespace pdarts::plan {
namespace {

using ir::NodeId;
using ir::ValueId;

class Stopwatch {
 public:
  explicit Stopwatch(std::vector<passes::PassTime>& times) : times_(times) {}
  void Lap(const char* name, size_t nodes) {
    const auto now = std::chrono::steady_clock::now();
    times_.push_back({name, std::chrono::duration<double>(now - start_).count(), nodes});
    start_ = std::chrono::steady_clock::now();
  }

 private:
  std::vector<passes::PassTime>& times_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::vector<size_t> BytesOfValues(const passes::LaidOut& laid_out, const device::Backend& backend) {
  std::vector<size_t> bytes(laid_out.graph.values().size());
  for (size_t value = 0; value < bytes.size(); ++value)
    bytes[value] = backend.Bytes(laid_out.graph.values()[value].desc, laid_out.layouts[value]);
  return bytes;
}

struct Schedule {
  std::vector<NodeId> order;
  passes::MemoryPlan memory;
  bool greedy = false;
};

// Of the order of building and the greedy one, that which needs less memory.
Schedule ChooseSchedule(const passes::LaidOut& laid_out, std::span<const size_t> bytes, const CompileOptions& options) {
  Schedule built{passes::BuildOrder(laid_out), {}, false};
  built.memory = passes::PlanMemory(laid_out, built.order, bytes, options.no_reuse);
  if (options.build_order) return built;

  std::vector<size_t> arena_bytes(bytes.begin(), bytes.end());
  for (size_t value = 0; value < bytes.size(); ++value)
    if (built.memory.places[value].area != Area::kTemporary) arena_bytes[value] = 0;
  Schedule greedy{passes::GreedyOrder(laid_out, arena_bytes), {}, true};
  greedy.memory = passes::PlanMemory(laid_out, greedy.order, bytes, options.no_reuse);
  return greedy.memory.temporary_bytes < built.memory.temporary_bytes ? std::move(greedy) : std::move(built);
}

std::string Signature(const passes::LaidOut& laid_out, const device::Backend& backend) {
  const auto digest = base::NewSha256();
  digest->Update(backend.Name() + "\n" + backend.Signature() + "\n");
  digest->Update(ir::ToString(laid_out.graph));
  for (const device::KernelSpec& spec : laid_out.specs) digest->Update(fmt::format("{} {}\n", spec.name, spec.variant));
  return digest->Hex();
}

// The inputs' memory is numbered by their place in Plan::inputs, not by node.
std::vector<InputInfo> ListInputs(const passes::LaidOut& laid_out, std::span<const size_t> bytes,
                                  std::vector<Place>& places) {
  std::vector<InputInfo> inputs;
  for (const ir::Node& node : laid_out.graph.nodes()) {
    if (node.kind != ir::OpKind::kInput) continue;
    const ValueId value = node.outputs[0];
    places[value].index = static_cast<int32_t>(inputs.size());
    inputs.push_back(
        {std::get<std::string>(node.attributes.Get("name")), value, laid_out.layouts[value], bytes[value]});
  }
  return inputs;
}

std::vector<Step> BuildSteps(const passes::LaidOut& laid_out, const Schedule& schedule, device::Backend& backend) {
  std::vector<Step> steps;
  steps.reserve(schedule.order.size());
  for (size_t i = 0; i < schedule.order.size(); ++i) {
    Step step{schedule.order[i], laid_out.specs[schedule.order[i]], nullptr, schedule.memory.workspaces[i],
              schedule.memory.freed[i]};
    step.kernel = backend.Build(laid_out.graph, step.node, step.spec);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

Plan Compile(const ir::Graph& graph, device::Backend& backend, const CompileOptions& options) {
  ir::Verify(graph);
  Plan plan;
  plan.poison_ = options.poison;
  const ir::Graph rewritten = passes::RunRewrites(graph, options.disabled_passes, plan.stats_.passes);

  Stopwatch watch(plan.stats_.passes);
  passes::LaidOut laid_out = passes::AssignLayouts(rewritten, backend);
  const size_t nodes = laid_out.graph.nodes().size();
  const std::vector<size_t> bytes = BytesOfValues(laid_out, backend);
  watch.Lap("layouts", nodes);
  Schedule schedule = ChooseSchedule(laid_out, bytes, options);
  watch.Lap("schedule_and_memory", nodes);
  if (options.check_memory) {
    const std::string fault = passes::FindMemoryFault(laid_out, schedule.order, bytes, schedule.memory);
    PD_CHECK(fault.empty(), "{}", fault);
    watch.Lap("check_memory", nodes);
  }
  plan.steps_ = BuildSteps(laid_out, schedule, backend);
  watch.Lap("build_kernels", nodes);

  plan.signature_ = Signature(laid_out, backend);
  plan.places_ = std::move(schedule.memory.places);
  plan.inputs_ = ListInputs(laid_out, bytes, plan.places_);
  plan.stats_.reorders = laid_out.reorders;
  plan.stats_.temporary_bytes = schedule.memory.temporary_bytes;
  plan.stats_.live_bytes = schedule.memory.live_bytes;
  plan.stats_.greedy_order = schedule.greedy;
  for (const InputInfo& input : plan.inputs_) plan.stats_.input_bytes += input.bytes;
  for (const ir::Slot& slot : laid_out.graph.slots()) plan.stats_.slot_bytes += slot.desc.bytes();
  plan.layouts_ = std::move(laid_out.layouts);
  plan.graph_ = std::move(laid_out.graph);
  return plan;
}

bool Plan::HasInput(const std::string& name) const {
  for (const InputInfo& input : inputs_)
    if (input.name == name) return true;
  return false;
}

ir::ValueId Plan::OutputValue(const std::string& name) const {
  for (const auto& [output, value] : graph_.outputs())
    if (output == name) return value;
  PD_CHECK(false, "no output {}", name);
}

}  // namespace pdarts::plan
