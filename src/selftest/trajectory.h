// What the two kinds of trajectory share: plans over one storage, started again from the file's tensors as often as
// needed.
#pragma once

#include <list>

#include "nn/step_graphs.h"
#include "plan/executor.h"
#include "selftest/turned_gradients.h"
#include "selftest/vectors.h"

namespace pdarts::selftest {

inline constexpr int64_t kMostSteps = 1000;

class Trajectory {
 public:
  Trajectory(const VectorFile& file, const Checker& checker, Report& report)
      : file_(file), checker_(checker), comparison_(report) {}

  // Compiles a graph; all of one trajectory share the storage.
  plan::Executor& Add(const ir::Graph& graph);

  // Every slot to its start: "init.<name>" of the file where it is there, else as the slot says (statistics, optimizer
  // state).
  void Reset();

  // Runs on batch `index` of "images" and "labels" with the given rate and update count. `look`, if any, is called
  // after each step of the plan with its number.
  void Run(plan::Executor& executor, int64_t index, double rate, double count,
           const std::function<void(int)>& look = nullptr);

  std::vector<double> Output(plan::Executor& executor, const std::string& name);
  double Scalar(plan::Executor& executor, const std::string& name) { return Output(executor, name)[0]; }

  // Comparisons with the file's tensor of that name. First ones are held to the tolerances of the precision; later ones
  // in f64 only.
  void CheckFirst(const std::string& name, std::span<const double> actual);
  void CheckLater(const std::string& name, std::span<const double> actual);
  // The gradient outputs of the executor that the file has, by the file's names "first.grad.*".
  Gradients FirstGradients(plan::Executor& executor);
  void CheckFirstGradients(plan::Executor& executor);
  void CheckFinalState();
  // The verdict on all first gradients in f32; `graphs` are those that were checked.
  void EndFirstGradients(const FirstGraphs& graphs);
  void EndLater();

 private:
  const VectorFile& file_;
  const Checker& checker_;
  Comparison comparison_;
  Gradients first_gradients_;
  plan::ModelStorage storage_;
  std::list<plan::Plan> plans_;
  std::list<plan::Executor> executors_;
};

}  // namespace pdarts::selftest
