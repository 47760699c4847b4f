#include "selftest/trajectory.h"

#include <cstring>

#include "nn/initialize.h"

namespace pdarts::selftest {
plan::Executor& Trajectory::Add(const ir::Graph& graph) {
  plans_.push_back(plan::Compile(graph, checker_.backend, checker_.compile));
  executors_.emplace_back(plans_.back(), storage_);
  return executors_.back();
}

void Trajectory::Reset() {
  for (const ir::Slot& slot : storage_.slots()) {
    const auto it = file_.content.tensors.find("init." + slot.name);
    if (it == file_.content.tensors.end()) {
      if (slot.role == ir::SlotRole::kParameter || slot.role == ir::SlotRole::kAlpha)
        file_.content.At("init." + slot.name, file_.name);  // throws, naming the nearest
      storage_.Slot(slot.name).Set(nn::InitialValue(slot, 0));
      continue;
    }
    if (it->second.shape() != slot.desc.shape)
      throw base::DataError(fmt::format("tensor init.{} is {}, the network wants {}", slot.name,
                                        it->second.shape().ToString(), slot.desc.shape.ToString()),
                            file_.name, "the metadata and the tensors do not belong together");
    storage_.Slot(slot.name).Set(tensor::HostTensor::FromDoubles(slot.desc, it->second.ToDoubles()));
  }
}

void Trajectory::Run(plan::Executor& executor, int64_t index, double rate, double count,
                     const std::function<void(int)>& look) {
  const plan::Plan& plan = executor.plan();
  const auto set = [&](const std::string& name, std::span<const double> values) {
    if (!plan.HasInput(name)) return;
    const plan::TensorView view = storage_.Input(plan, name);
    view.Set(tensor::HostTensor::FromDoubles(view.desc, values));
  };
  const auto batch = [&](const std::string& name) {
    const std::vector<double> all = file_.content.At(name, file_.name).ToDoubles();
    const size_t batches = static_cast<size_t>(file_.content.At(name, file_.name).shape()[0]),
                 size = all.size() / batches;
    if (static_cast<size_t>(index) >= batches)
      throw base::DataError(fmt::format("{} has {} batches, {} are needed", name, batches, index + 1), file_.name, "");
    return std::vector<double>(all.begin() + static_cast<ptrdiff_t>(index * static_cast<int64_t>(size)),
                               all.begin() + static_cast<ptrdiff_t>((index + 1) * static_cast<int64_t>(size)));
  };
  set("images", batch("images"));
  set("labels", batch("labels"));
  set("rate", std::vector<double>{rate});
  set("adam_count", std::vector<double>{count});
  set("rng", std::vector<double>{0, 0});
  executor.Prepare();
  for (int step = 0; step < static_cast<int>(plan.steps().size()); ++step)
    executor.RunStep(step, [&] {
      if (look) look(step);
    });
}

std::vector<double> Trajectory::Output(plan::Executor& executor, const std::string& name) {
  return storage_.Output(executor.plan(), name).Copy().ToDoubles();
}

void Trajectory::CheckFirst(const std::string& name, std::span<const double> actual) {
  comparison_.Check(name, actual, file_.content.At(name, file_.name),
                    checker_.precision == Precision::kF64 ? kF64Trajectory : kF32FirstForward);
}

void Trajectory::CheckLater(const std::string& name, std::span<const double> actual) {
  if (checker_.precision == Precision::kF64)
    comparison_.Check(name, actual, file_.content.At(name, file_.name), kF64Trajectory);
  else
    comparison_.AddToGroup(name, actual, file_.content.At(name, file_.name));
}

Gradients Trajectory::FirstGradients(plan::Executor& executor) {
  Gradients gradients;
  for (const auto& [output, value] : executor.plan().graph().outputs())
    if (const std::string name = "first." + output; output.starts_with("grad.") && file_.content.tensors.contains(name))
      gradients.emplace(name, Output(executor, output));
  return gradients;
}

void Trajectory::CheckFirstGradients(plan::Executor& executor) {
  Gradients gradients = FirstGradients(executor);
  for (const auto& [name, values] : gradients) CheckLater(name, values);
  first_gradients_.merge(gradients);
}

void Trajectory::CheckFinalState() {
  for (const ir::Slot& slot : storage_.slots()) {
    const std::string name = "final." + slot.name;
    if (file_.content.tensors.contains(name)) CheckLater(name, storage_.Slot(slot.name).Copy().ToDoubles());
  }
}

void Trajectory::EndFirstGradients(const FirstGraphs& graphs) {
  for (const auto& [name, tensor] : file_.content.tensors)
    if (name.starts_with("first.grad.") && !first_gradients_.contains(name))
      throw base::DataError(fmt::format("tensor {} is of no parameter of the network", name), file_.name,
                            "the metadata and the tensors do not belong together");
  if (first_gradients_.empty()) throw base::DataError("no tensor first.grad.*", file_.name, "make the file again");
  const std::string group = "first gradients";
  if (comparison_.EndGroup(group).worst <= kF32FirstGradient) return;
  const TurnedGradients found = TurnNearTies(file_, checker_, graphs, first_gradients_);
  for (const NearTie& tie : found.turned) comparison_.Note(fmt::format("{}: turned: {}", group, tie.ToString()));
  if (!found.ExactHolds())
    return comparison_.Fail(
        fmt::format("{}: f64 is off the file's by {:.3g}, allowed {:.0e}", group, found.exact.worst, kF64Trajectory));
  const std::string line = fmt::format(
      "{}: against f64 with the signs and maxima of f32 ({} turned, {} near ties looked at): median {:.3g}, worst "
      "{:.3g}",
      group, found.turned.size(), found.looked_at, found.errors.median, found.errors.worst);
  if (found.Explains())
    comparison_.Note(line);
  else
    comparison_.Fail(fmt::format("{}, allowed {:.0e}", line, kF32FirstGradient));
}

void Trajectory::EndLater() { comparison_.EndGroup("later steps"); }

}  // namespace pdarts::selftest
