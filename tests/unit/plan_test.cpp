#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <map>

#include "backends/cpu/cpu_backend.h"
#include "backends/ref/ref_backend.h"
#include "base/file.h"
#include "nn/step_graphs.h"
#include "passes/rewrite.h"
#include "support/small_step.h"

namespace pdarts::plan {
namespace {

using ir::Graph;
using ir::SlotRole;
using ir::ValueId;
using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;
using test::FillInputs;
using test::FillSlots;
using test::SlotBytes;
using test::SmallStep;

const TensorDesc kPair{DType::kF32, Shape{2}};

struct Outcome {
  std::vector<std::vector<std::byte>> slots;
  std::vector<double> loss;
  bool operator==(const Outcome&) const = default;
};

// Three steps of a training plan.
Outcome TrainOn(const Graph& graph, const CompileOptions& options) {
  const auto backend = backends::NewRefBackend();
  const Plan plan = Compile(graph, *backend, options);
  ModelStorage storage;
  Executor executor(plan, storage);
  FillSlots(storage);
  FillInputs(storage, plan);
  Outcome outcome;
  for (int step = 0; step < 3; ++step) {
    executor.Run();
    outcome.loss.push_back(storage.Output(plan, "loss").Copy().ToDoubles()[0]);
  }
  outcome.slots = SlotBytes(storage);
  return outcome;
}

Outcome Train(const CompileOptions& options, DType dtype = DType::kF32) {
  return TrainOn(SmallStep(4, true, dtype), options);
}

TEST_CASE("A training plan lowers its loss", "[plan]") {
  const Outcome outcome = Train({});
  CHECK(outcome.loss[1] < outcome.loss[0]);
  CHECK(outcome.loss[2] < outcome.loss[1]);
}

TEST_CASE("The bits do not depend on memory reuse, poison or order", "[plan]") {
  const Outcome outcome = Train({});
  CHECK(Train({.no_reuse = true}) == outcome);
  CHECK(Train({.poison = true}) == outcome);
  CHECK(Train({.no_reuse = true, .poison = true, .build_order = true}) == outcome);
}

TEST_CASE("Without rewrites the result is the same", "[plan]") {
  const Outcome with = Train({}, DType::kF64);
  for (const char* name : {"fold_zero", "merge_sums", "fuse_normalized_sums", "dead_code"}) {
    const Outcome without = Train({.disabled_passes = {name}}, DType::kF64);
    for (size_t step = 0; step < with.loss.size(); ++step)
      CHECK(std::abs(with.loss[step] - without.loss[step]) < 1e-12);
  }
}

TEST_CASE("A supernet's step is the same without the passes that fuse", "[plan]") {
  const std::vector<std::string> operations = {"max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
                                               "dil_conv_5x5"};
  const nn::SearchNetworkSpec spec{.normal{14, operations}, .reduce{14, operations}, .cells = 3, .channels = 2};
  const nn::StepOptions step{.batch = 3, .image_size = 8, .dtype = DType::kF64, .image_layout = tensor::Layout::kPlain};
  for (const Graph& graph :
       {nn::WeightsStep(spec, step), nn::ArchitectureStep(spec, step), nn::EvaluationStep(spec, step)}) {
    const Outcome with = TrainOn(graph, {});
    for (const char* name : {"fuse_normalized_sums", "fuse_separable", "group_separable", "bypass_concat",
                             "weigh_dropout", "fuse_pool_norms"}) {
      const Outcome without = TrainOn(graph, {.disabled_passes = {name}});
      for (size_t i = 0; i < with.loss.size(); ++i) CHECK(std::abs(with.loss[i] - without.loss[i]) < 1e-10);
    }
  }
}

TEST_CASE("The step of a network that is trained for itself is the same without the passes that fuse", "[plan]") {
  const nn::CellSpec cell{{{"sep_conv_3x3", 0},
                           {"sep_conv_5x5", 1},
                           {"skip_connect", 0},
                           {"dil_conv_3x3", 2},
                           {"skip_connect", 1},
                           {"max_pool_3x3", 0},
                           {"dil_conv_5x5", 2},
                           {"sep_conv_3x3", 0}},
                          {2, 3, 4, 5}};
  const nn::StepOptions step{.batch = 4, .image_size = 8, .dtype = DType::kF64, .image_layout = tensor::Layout::kPlain};
  for (const bool drop_path : {true, false}) {
    const nn::EvaluationNetworkSpec spec{
        .normal = cell, .reduce = cell, .cells = 3, .channels = 2, .auxiliary = false, .drop_path = drop_path};
    for (const Graph& graph : {nn::WeightsStep(spec, step), nn::EvaluationStep(spec, step)}) {
      const Outcome with = TrainOn(graph, {});
      for (const char* name : {"fuse_separable", "group_separable", "bypass_concat", "sum_paths", "all"}) {
        const std::string_view only = name;
        const Outcome without = TrainOn(
            graph, {.disabled_passes = only == "all" ? passes::RewriteNames() : std::vector<std::string>{name}});
        for (size_t i = 0; i < with.loss.size(); ++i) CHECK(std::abs(with.loss[i] - without.loss[i]) < 1e-10);
      }
    }
    const Graph fused = Compile(nn::WeightsStep(spec, step), *backends::NewRefBackend()).graph();
    const auto count = [&](ir::OpKind kind) {
      return std::ranges::count_if(fused.nodes(), [&](const ir::Node& node) { return node.kind == kind; });
    };
    // Of the nodes of three cells, all but that of an identity and a pool, which have no batch norm; what is left of
    // drop path are that pool's and the pools' gradients.
    CHECK(count(ir::OpKind::kPathSum) == 11);
    CHECK(count(ir::OpKind::kScaleSamples) == (drop_path ? 4 : 0));
  }
}

// All gradients of one step on the CPU.
std::map<std::string, std::vector<double>> Gradients(const Graph& graph, const CompileOptions& options) {
  const auto backend = backends::NewCpuBackend();
  const Plan plan = Compile(graph, *backend, options);
  ModelStorage storage;
  Executor executor(plan, storage);
  FillSlots(storage);
  FillInputs(storage, plan);
  executor.Run();
  std::map<std::string, std::vector<double>> gradients;
  for (const auto& [name, value] : graph.outputs())
    if (name.starts_with("grad.")) gradients[name] = storage.Output(plan, name).Copy().ToDoubles();
  return gradients;
}

TEST_CASE("Drop path in a network's nodes is the same on the CPU with and without sum_paths", "[plan][cpu]") {
  // The reductions' skips are 1x1 convolutions alone, whose rows are images to their kernel.
  const nn::CellSpec cell{{{"skip_connect", 0},
                           {"skip_connect", 1},
                           {"sep_conv_3x3", 0},
                           {"skip_connect", 1},
                           {"skip_connect", 0},
                           {"dil_conv_3x3", 2},
                           {"skip_connect", 1},
                           {"sep_conv_3x3", 3}},
                          {2, 3, 4, 5}};
  const nn::EvaluationNetworkSpec spec{.normal = cell, .reduce = cell, .cells = 3, .channels = 8, .auxiliary = false};
  const Graph graph = nn::WeightsStep(spec, {.batch = 26, .image_size = 8, .output_gradients = true});
  const auto with = Gradients(graph, {}), without = Gradients(graph, {.disabled_passes = {"sum_paths"}});
  REQUIRE(with.size() > 50);
  for (const auto& [name, values] : with) {
    CAPTURE(name);
    double off = 0, norm = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      off += std::pow(values[i] - without.at(name)[i], 2);
      norm += std::pow(values[i], 2);
    }
    CHECK(std::sqrt(off) <= 1e-3 * std::sqrt(norm) + 1e-6);
  }
}

TEST_CASE("An evaluation is fused as training is, on the CPU too", "[plan][cpu]") {
  const std::vector<std::string> operations = {"max_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_5x5"};
  const nn::SearchNetworkSpec spec{.normal{14, operations}, .reduce{14, operations}, .cells = 3, .channels = 8};
  const auto backend = backends::NewCpuBackend();
  const Graph graph = nn::EvaluationStep(spec, {.batch = 3, .image_size = 8});
  const auto logits = [&](const CompileOptions& options) {
    const Plan plan = Compile(graph, *backend, options);
    ModelStorage storage;
    Executor executor(plan, storage);
    FillSlots(storage);
    FillInputs(storage, plan);
    executor.Run();
    return storage.Output(plan, "logits").Copy().ToDoubles();
  };
  const Plan fused = Compile(graph, *backend);
  int convolutions = 0, applies = 0, sums = 0;
  for (const Step& step : fused.steps()) {
    const ir::OpKind kind = fused.graph().node(step.node).kind;
    convolutions += kind == ir::OpKind::kConv2d, applies += kind == ir::OpKind::kBatchNormApply;
    sums += kind == ir::OpKind::kWeightedSum;
  }
  CHECK(convolutions == 1);  // the stem's
  CHECK(applies == 7);       // the stem's, and of both states of each cell
  CHECK(sums == 0);
  const auto with = logits({}), without = logits({.disabled_passes = passes::RewriteNames()});
  for (size_t i = 0; i < with.size(); ++i) CHECK(std::abs(with[i] - without[i]) < 1e-5 * (1 + std::abs(without[i])));
}

TEST_CASE("An unknown pass is a usage error that names the known ones", "[plan]") {
  try {
    Train({.disabled_passes = {"fold_zeros"}});
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK(error.remedy().find("fold_zero") != std::string::npos);
  }
}

TEST_CASE("Optimizer and statistics write into their slots, without copies", "[plan]") {
  const auto backend = backends::NewRefBackend();
  const Plan plan = Compile(SmallStep(4, true), *backend);
  for (const Step& step : plan.steps()) CHECK(plan.graph().node(step.node).kind != ir::OpKind::kCopy);
  CHECK(plan.stats().reorders.activations == 0);
  CHECK(plan.stats().temporary_bytes >= plan.stats().live_bytes);
}

TEST_CASE("Two slots can swap their contents, and an output shows the old one", "[plan]") {
  Graph graph;
  const auto a = graph.AddSlot({"a", SlotRole::kParameter, kPair, "zeros"});
  const auto b = graph.AddSlot({"b", SlotRole::kParameter, kPair, "zeros"});
  const ValueId old_a = graph.ReadSlot(a), old_b = graph.ReadSlot(b);
  graph.Assign(a, old_b);
  graph.Assign(b, old_a);
  graph.Output("old_a", old_a);
  const auto backend = backends::NewRefBackend();
  const Plan plan = Compile(graph, *backend, {.poison = true});
  ModelStorage storage;
  Executor executor(plan, storage);
  storage.Slot("a").Set(tensor::HostTensor::FromDoubles(kPair, std::vector<double>{1, 2}));
  storage.Slot("b").Set(tensor::HostTensor::FromDoubles(kPair, std::vector<double>{3, 4}));
  executor.Run();
  CHECK(storage.Slot("a").Copy().ToDoubles() == std::vector<double>{3, 4});
  CHECK(storage.Slot("b").Copy().ToDoubles() == std::vector<double>{1, 2});
  CHECK(storage.Output(plan, "old_a").Copy().ToDoubles() == std::vector<double>{1, 2});
}

TEST_CASE("One value in two slots, an input in a slot, and a slot kept as it is", "[plan]") {
  Graph graph;
  std::vector<ir::SlotId> slots;
  for (const char* name : {"a", "b", "c", "d"})
    slots.push_back(graph.AddSlot({name, SlotRole::kParameter, kPair, "zeros"}));
  const ValueId input = graph.Input("x", kPair);
  const ValueId doubled = ops::Scale(graph, graph.ReadSlot(slots[0]), 2);
  graph.Assign(slots[0], doubled);
  graph.Assign(slots[1], doubled);
  graph.Assign(slots[2], input);
  graph.Assign(slots[3], graph.ReadSlot(slots[3]));
  const auto backend = backends::NewRefBackend();
  const Plan plan = Compile(graph, *backend);
  ModelStorage storage;
  Executor executor(plan, storage);
  storage.Slot("a").Set(tensor::HostTensor::FromDoubles(kPair, std::vector<double>{1, 2}));
  storage.Slot("d").Set(tensor::HostTensor::FromDoubles(kPair, std::vector<double>{7, 8}));
  const float outside[] = {5, 6};
  executor.BindInput("x", outside);
  executor.Run();
  CHECK(storage.Slot("a").Copy().ToDoubles() == std::vector<double>{2, 4});
  CHECK(storage.Slot("b").Copy().ToDoubles() == std::vector<double>{2, 4});
  CHECK(storage.Slot("c").Copy().ToDoubles() == std::vector<double>{5, 6});
  CHECK(storage.Slot("d").Copy().ToDoubles() == std::vector<double>{7, 8});
  executor.BindInput("x", nullptr);
  executor.Run();
  CHECK(storage.Slot("c").Copy().ToDoubles() == std::vector<double>{0, 0});
}

TEST_CASE("Plans share slots, inputs and the arena of one storage", "[plan]") {
  const auto backend = backends::NewRefBackend();
  const Plan evaluation = Compile(SmallStep(2, false), *backend);
  const Plan training = Compile(SmallStep(6, true), *backend);
  ModelStorage storage;
  Executor evaluate(evaluation, storage);
  Executor train(training, storage);  // larger: inputs and arena move under the first executor
  CHECK(storage.temporary_bytes() == training.stats().temporary_bytes);
  FillSlots(storage);
  FillInputs(storage, training);
  evaluate.Run();
  const double before = storage.Output(evaluation, "loss").Copy().ToDoubles()[0];
  for (int step = 0; step < 20; ++step) train.Run();
  evaluate.Run();
  CHECK(storage.Output(evaluation, "loss").Copy().ToDoubles()[0] != before);
  CHECK(std::isfinite(storage.Output(evaluation, "loss").Copy().ToDoubles()[0]));
}

TEST_CASE("An observer sees every step in order", "[plan]") {
  const auto backend = backends::NewRefBackend();
  const Plan plan = Compile(SmallStep(2, false), *backend);
  ModelStorage storage;
  Executor executor(plan, storage);
  std::vector<int> seen;
  executor.Run([&](const StepEvent& event) {
    CHECK(event.nanoseconds >= 0);
    CHECK(event.info.spec.name == fmt::format("ref:{}", ir::Name(event.node.kind)));
    seen.push_back(event.step);
  });
  REQUIRE(seen.size() == plan.steps().size());
  for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == static_cast<int>(i));
}

TEST_CASE("Equal graphs have equal signatures, others have not", "[plan]") {
  const auto backend = backends::NewRefBackend();
  const std::string signature = Compile(SmallStep(4, true), *backend).signature();
  CHECK(Compile(SmallStep(4, true), *backend).signature() == signature);
  CHECK(Compile(SmallStep(4, true), *backend, {.no_reuse = true}).signature() == signature);
  CHECK(Compile(SmallStep(5, true), *backend).signature() != signature);
  CHECK(Compile(SmallStep(4, true), *backend, {.disabled_passes = {"fold_zero"}}).signature() != signature);
}

TEST_CASE("The plan of a small training step reads as approved", "[plan]") {
  const auto backend = backends::NewRefBackend();
  const std::string text = Dump(Compile(SmallStep(4, true), *backend), *backend);
  const std::string path = std::string(PDARTS_TESTS_DIR) + "/golden_text/small_step_plan.txt";
  if (std::getenv("PDARTS_APPROVE") != nullptr) base::WriteFileAtomically(path, text);
  CHECK(text == base::ReadFile(path));
}

}  // namespace
}  // namespace pdarts::plan
