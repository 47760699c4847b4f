#include "support/run_on_backend.h"

#include <cstring>

#include "plan/executor.h"

namespace pdarts::tests {

std::map<std::string, tensor::HostTensor> RunOnBackend(const ir::Graph& graph, device::Backend& backend,
                                                       const std::map<std::string, tensor::HostTensor>& named,
                                                       const plan::CompileOptions& options) {
  const plan::Plan plan = plan::Compile(graph, backend, options);
  plan::ModelStorage storage;
  plan::Executor executor(plan, storage);
  for (const plan::InputInfo& input : plan.inputs()) storage.Input(plan, input.name).Set(named.at(input.name));
  for (const ir::Slot& slot : storage.slots())
    if (named.contains(slot.name)) storage.Slot(slot.name).Set(named.at(slot.name));
  executor.Run();
  std::map<std::string, tensor::HostTensor> outputs;
  for (const auto& [name, value] : graph.outputs()) outputs[name] = storage.Output(plan, name).Copy();
  return outputs;
}

}  // namespace pdarts::tests
