// A graph compiled for one backend: which kernels run in which order, and where each value lies. Made once, run often.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/backend.h"
#include "ir/graph.h"
#include "passes/layout.h"
#include "passes/memory.h"
#include "passes/rewrite.h"

namespace pdarts::plan {

struct CompileOptions {
  std::vector<std::string> disabled_passes;  // names of rewrites to leave out; see passes/rewrite.h
  bool no_reuse = false;                     // every value has memory of its own: to find errors of the memory planner
  bool poison = false;                       // fill freed memory with NaN after each step: to find reads of dead values
  bool build_order = false;                  // keep the order of building instead of also trying the greedy one
  bool check_memory = true;                  // prove by the independent checker that no two live values overlap
};

using passes::Area;
using passes::ByteRange;
using passes::Place;

struct Step {
  ir::NodeId node = -1;
  device::KernelSpec spec;
  std::unique_ptr<device::Kernel> kernel;
  ByteRange workspace;           // in the temporary arena; 0 bytes: none
  std::vector<ByteRange> freed;  // what dies with this step, to be poisoned
};

struct InputInfo {
  std::string name;
  ir::ValueId value = ir::kNoValue;
  tensor::Layout layout{};
  size_t bytes = 0;
};

struct PlanStats {
  passes::ReorderStats reorders;
  size_t temporary_bytes = 0;  // the arena
  size_t live_bytes = 0;       // the most that is alive at once: what no planner can go below in this order
  size_t input_bytes = 0, slot_bytes = 0;
  bool greedy_order = false;  // which schedule won
  std::vector<passes::PassTime> passes;
};

// Immutable after Compile. May be moved only before an Executor is made of it.
class Plan {
 public:
  const ir::Graph& graph() const { return graph_; }  // after all passes: what the steps refer to
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<InputInfo>& inputs() const { return inputs_; }
  const PlanStats& stats() const { return stats_; }
  const Place& place(ir::ValueId value) const { return places_[value]; }
  tensor::Layout layout(ir::ValueId value) const { return layouts_[value]; }
  bool poison() const { return poison_; }

  // SHA-256 over the compiled graph, the kernels chosen and the backend's signature: plans of equal signature give
  // equal bits.
  const std::string& signature() const { return signature_; }

  bool HasInput(const std::string& name) const;  // false too where no step needs it
  // The value of a graph output; PD_CHECKs that there is one of this name.
  ir::ValueId OutputValue(const std::string& name) const;

 private:
  friend Plan Compile(const ir::Graph&, device::Backend&, const CompileOptions&);

  ir::Graph graph_;
  std::vector<Step> steps_;
  std::vector<InputInfo> inputs_;
  std::vector<Place> places_;            // by value
  std::vector<tensor::Layout> layouts_;  // by value
  PlanStats stats_;
  std::string signature_;
  bool poison_ = false;
};

// Rewrites the graph, assigns layouts, schedules, plans memory and builds the kernels. `backend` need not outlive the
// plan's kernels unless the backend says so.
Plan Compile(const ir::Graph& graph, device::Backend& backend, const CompileOptions& options = {});

// Text of the plan, one line a step: kernel, operands with place and layout. Stable: used for golden dumps.
std::string Dump(const Plan& plan, const device::Backend& backend);

}  // namespace pdarts::plan
