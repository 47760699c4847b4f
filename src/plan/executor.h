// Runs a plan on a storage: all addresses are worked out once, a run is a loop of launches.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/storage.h"

namespace pdarts::plan {

struct StepEvent {
  int step = 0;
  const Step& info;
  const ir::Node& node;
  int64_t nanoseconds = 0;
};
using Observer = std::function<void(const StepEvent&)>;

class Executor {
 public:
  // Both must outlive the executor; the plan is added to the storage if it is not there yet.
  Executor(const Plan& plan, ModelStorage& storage);

  // Reads the input `name` from `data` (in the input's layout) from now on, instead of from the storage; nullptr: from
  // the storage again.
  void BindInput(const std::string& name, const void* data);

  // One execution of all steps. With an observer each step is timed.
  void Run(const Observer& observer = nullptr);

  // For checkers: what Run does before the first step, one step by hand, and its operands' addresses.
  void Prepare();
  // `look` is called before what dies with the step is poisoned.
  void RunStep(int step, const std::function<void()>& look = nullptr);
  std::span<const void* const> step_inputs(int step) const;
  std::span<void* const> step_outputs(int step) const;

  const Plan& plan() const { return plan_; }
  ModelStorage& storage() { return storage_; }

 private:
  struct Bound {
    size_t first_input = 0, inputs = 0, first_output = 0, outputs = 0;
    void* workspace = nullptr;
  };
  void Bind();
  void Rebind(const std::string& name, const void* data);
  std::byte* Address(ir::ValueId value);

  const Plan& plan_;
  ModelStorage& storage_;
  std::vector<Bound> steps_;
  std::vector<const void*> input_addresses_;
  std::vector<void*> output_addresses_;
  std::map<std::string, std::vector<size_t>> readers_of_input_;  // positions in input_addresses_
  std::map<std::string, const void*> external_;
  uint64_t generation_ = 0;
};

}  // namespace pdarts::plan
