#include "nn/operations.h"

#include <nlohmann/json.hpp>

#include "base/json_number.h"
#include "ops/ops.h"
#include "plan/executor.h"
#include "selftest/vectors.h"

namespace pdarts::selftest {
namespace {

using nn::Layers;
using nn::Mode;
using tensor::HostTensor;

constexpr const char* kRemedy = "make the file again";

struct OperationCase {
  std::string name, operation;
  nn::OperationOptions options;
};

std::vector<OperationCase> CasesOf(const VectorFile& file) {
  std::vector<OperationCase> cases;
  try {
    for (const auto& entry : file.Json("cases"))
      cases.push_back({entry.at("case").get<std::string>(),
                       entry.at("op").get<std::string>(),
                       {base::WholeNumber<int64_t>(entry.at("stride")), entry.at("affine").get<bool>(),
                        entry.at("batch_norm_after_pool").get<bool>()}});
  } catch (const nlohmann::json::exception& error) {
    throw base::DataError(fmt::format("__metadata__ 'cases': {}", error.what()), file.name, kRemedy);
  }
  for (const OperationCase& c : cases)
    if (!nn::IsOperation(c.operation) || (c.options.stride != 1 && c.options.stride != 2))
      throw base::DataError(fmt::format("operation '{}' with stride {} is not known", c.operation, c.options.stride),
                            fmt::format("{}: {}", file.name, c.name), kRemedy);
  return cases;
}

// Runs one graph; inputs and parameters from the file, statistics kept in the storage between the graphs of a case.
class CaseRun {
 public:
  CaseRun(const OperationCase& c, const VectorFile& file, const Checker& checker, Report& report)
      : case_(c), file_(file), checker_(checker), comparison_(report) {}

  void Run() {
    ir::Graph training = Training(), evaluation;
    Layers layers(evaluation, {checker_.dtype(), Mode::kEvaluation});
    evaluation.Output("y_eval", nn::Operation(layers, Input(evaluation, "x"), case_.operation, "param", case_.options));
    RunAndCheck(training, /*first=*/true);
    for (const ir::Slot& slot : training.slots())
      if (slot.role == ir::SlotRole::kStatistic)
        Check("running." + slot.name.substr(6), storage_.Slot(slot.name).Copy());  // "param." becomes "running."
    RunAndCheck(evaluation, /*first=*/false);
  }

 private:
  ir::ValueId Input(ir::Graph& graph, const std::string& name) {
    const tensor::Shape& shape = Tensor(name).shape();
    if (shape.rank() != 4 || shape.elements() == 0) Fail(name, shape, "images, channels, height, width");
    return graph.Input(name, {checker_.dtype(), shape});
  }

  [[noreturn]] void Fail(const std::string& name, const tensor::Shape& shape, const std::string& wanted) const {
    throw base::DataError(fmt::format("tensor {}.{} is {}, not {}", case_.name, name, shape.ToString(), wanted),
                          file_.name, kRemedy);
  }

  const HostTensor& Tensor(const std::string& name) { return file_.content.At(case_.name + "." + name, file_.name); }

  ir::Graph Training() {
    ir::Graph graph;
    Layers layers(graph, {checker_.dtype(), Mode::kTraining});
    const ir::ValueId x = Input(graph, "x"), dy = Input(graph, "dy");
    const ir::ValueId y = nn::Operation(layers, x, case_.operation, "param", case_.options);
    if (graph.shape(y) != graph.shape(dy)) Fail("dy", graph.shape(dy), graph.shape(y).ToString());
    graph.Output("y", y);
    std::vector<ir::ValueId> wanted = {x};
    for (ir::SlotId slot : layers.parameters()) wanted.push_back(graph.ReadSlot(slot));
    const std::vector<ir::ValueId> diffs = ops::DifferentiateFrom(graph, y, dy, wanted);
    if (diffs[0] != ir::kNoValue) graph.Output("dx", diffs[0]);
    for (size_t i = 1; i < diffs.size(); ++i)
      graph.Output("d" + graph.slots()[layers.parameters()[i - 1]].name, diffs[i]);
    layers.UpdateStatistics();
    return graph;
  }

  void RunAndCheck(const ir::Graph& graph, bool first) {
    plans_.push_back(std::make_unique<plan::Plan>(plan::Compile(graph, checker_.backend, checker_.compile)));
    const plan::Plan& plan = *plans_.back();
    plan::Executor executor(plan, storage_);
    for (const plan::InputInfo& input : plan.inputs()) Set(storage_.Input(plan, input.name), Tensor(input.name));
    if (first)
      for (const ir::Slot& slot : storage_.slots()) {
        const plan::TensorView view = storage_.Slot(slot.name);
        if (slot.role == ir::SlotRole::kParameter)
          SetParameter(slot, view);
        else
          view.Set(HostTensor::FromDoubles(
              slot.desc,
              std::vector<double>(static_cast<size_t>(slot.desc.shape.elements()), slot.init == "ones" ? 1.0 : 0.0)));
      }
    executor.Run();
    for (const auto& [name, value] : graph.outputs()) Check(name, storage_.Output(plan, name).Copy());
  }

  void SetParameter(const ir::Slot& slot, const plan::TensorView& view) {
    const tensor::Shape& shape = Tensor(slot.name).shape();
    if (shape != slot.desc.shape) Fail(slot.name, shape, slot.desc.shape.ToString());
    Set(view, Tensor(slot.name));
  }

  static void Set(const plan::TensorView& view, const HostTensor& from) {
    view.Set(HostTensor::FromDoubles(view.desc, from.ToDoubles()));
  }

  void Check(const std::string& name, const HostTensor& actual) {
    comparison_.Check(case_.name + "." + name, actual.ToDoubles(), Tensor(name),
                      checker_.precision == Precision::kF64 ? kF64Operation : kF32Operation);
  }

  const OperationCase& case_;
  const VectorFile& file_;
  const Checker& checker_;
  Comparison comparison_;
  plan::ModelStorage storage_;
  std::vector<std::unique_ptr<plan::Plan>> plans_;
};

}  // namespace

void CheckOperations(const VectorFile& file, const Checker& checker, Report& report) {
  for (const OperationCase& c : CasesOf(file)) CaseRun(c, file, checker, report).Run();
}

}  // namespace pdarts::selftest
