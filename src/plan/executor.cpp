#include "plan/executor.h"

#include <chrono>
#include <cstring>

namespace pdarts::plan {

Executor::Executor(const Plan& plan, ModelStorage& storage) : plan_(plan), storage_(storage) {
  storage_.Add(plan_);
  Bind();
}

std::byte* Executor::Address(ir::ValueId value) {
  const Place& place = plan_.place(value);
  if (place.area == Area::kTemporary) return storage_.temporary() + place.offset;
  if (place.area == Area::kSlot) return storage_.Slot(plan_.graph().slots()[place.index].name).data;
  return storage_.Input(plan_, plan_.inputs()[place.index].name).data;
}

void Executor::Bind() {
  generation_ = storage_.generation();
  steps_.clear();
  input_addresses_.clear();
  output_addresses_.clear();
  readers_of_input_.clear();
  for (const Step& step : plan_.steps()) {
    const ir::Node& node = plan_.graph().node(step.node);
    Bound bound{input_addresses_.size(), node.inputs.size(), output_addresses_.size(), node.outputs.size(), nullptr};
    if (step.workspace.bytes > 0) bound.workspace = storage_.temporary() + step.workspace.offset;
    for (ir::ValueId input : node.inputs) {
      const Place& place = plan_.place(input);
      if (place.area == Area::kInput)
        readers_of_input_[plan_.inputs()[place.index].name].push_back(input_addresses_.size());
      input_addresses_.push_back(Address(input));
    }
    for (ir::ValueId output : node.outputs) output_addresses_.push_back(Address(output));
    steps_.push_back(bound);
  }
  for (const auto& [name, data] : external_) Rebind(name, data);
}

void Executor::BindInput(const std::string& name, const void* data) {
  PD_CHECK(plan_.HasInput(name), "no input {}", name);
  if (data == nullptr)
    external_.erase(name);
  else
    external_[name] = data;
  Rebind(name, data == nullptr ? storage_.Input(plan_, name).data : data);
}

void Executor::Rebind(const std::string& name, const void* data) {
  for (size_t position : readers_of_input_[name]) input_addresses_[position] = data;
}

std::span<const void* const> Executor::step_inputs(int step) const {
  return {input_addresses_.data() + steps_[step].first_input, steps_[step].inputs};
}

std::span<void* const> Executor::step_outputs(int step) const {
  return {output_addresses_.data() + steps_[step].first_output, steps_[step].outputs};
}

void Executor::RunStep(int step, const std::function<void()>& look) {
  const Step& info = plan_.steps()[step];
  info.kernel->Launch(step_inputs(step), step_outputs(step), steps_[step].workspace);
  if (look) look();
  if (plan_.poison())  // all bits set is a NaN
    for (const ByteRange& range : info.freed) std::memset(storage_.temporary() + range.offset, 0xFF, range.bytes);
}

void Executor::Prepare() {
  if (generation_ != storage_.generation()) Bind();
  if (plan_.poison()) std::memset(storage_.temporary(), 0xFF, plan_.stats().temporary_bytes);
}

void Executor::Run(const Observer& observer) {
  Prepare();
  for (int step = 0; step < static_cast<int>(steps_.size()); ++step) {
    if (!observer) {
      RunStep(step);
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    RunStep(step);
    const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - start;
    const Step& info = plan_.steps()[step];
    observer({step, info, plan_.graph().node(info.node), taken.count()});
  }
}

}  // namespace pdarts::plan
