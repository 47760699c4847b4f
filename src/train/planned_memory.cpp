#include "train/planned_memory.h"

#include <algorithm>
#include <map>
#include <string>

#include "plan/plan.h"
#include "train/step_runner.h"

namespace pdarts::train {

PlannedMemory PlanMemory(const nn::EvaluationNetworkSpec& spec, const nn::StepOptions& options,
                         device::Backend& backend) {
  nn::StepOptions step = options;
  step.image_layout = ImageLayout(backend);
  PlannedMemory memory;
  std::map<std::string, size_t> slots, inputs;  // what plans of one storage share goes by name
  for (const bool weights : {true, false}) {
    const GraphOfBatch graph = weights ? WeightsGraph(spec, step) : EvaluationGraph(spec, step);
    const plan::Plan plan = plan::Compile(graph(step.batch), backend);
    for (const ir::Slot& slot : plan.graph().slots()) slots[slot.name] = slot.desc.bytes();
    for (const plan::InputInfo& input : plan.inputs()) inputs[input.name] = std::max(inputs[input.name], input.bytes);
    memory.temporary = std::max(memory.temporary, plan.stats().temporary_bytes);
    if (weights) memory.steps = plan.steps().size();
  }
  for (const auto& [name, bytes] : slots) memory.slots += bytes;
  for (const auto& [name, bytes] : inputs) memory.inputs += bytes;
  return memory;
}

}  // namespace pdarts::train
