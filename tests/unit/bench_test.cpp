#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "backends/cpu/cpu_backend.h"
#include "bench/report.h"
#include "device/alternatives.h"
#include "experiment/catalogue.h"
#include "ops/op.h"

namespace pdarts::bench {
namespace {

search::Genotype PublishedCell() {
  return search::GenotypeFromJson(nlohmann::json::parse(experiment::FindTable("table1").cells.at("PDARTS_CIFAR10")),
                                  "table1");
}

// A supernet of stage 3 that takes no time.
Network SmallSupernet() {
  Network network = NetworkOf("3", 4, PublishedCell(), tensor::Layout::kChannelsLast);
  auto& spec = std::get<nn::SearchNetworkSpec>(network.spec);
  spec.cells = 3, spec.channels = 4;
  network.step.image_size = 8;
  return network;
}

double FlopsOf(const ir::Graph& graph, std::set<ir::OpKind> kinds) {
  double flops = 0;
  for (const ir::Node& node : graph.nodes())
    if (kinds.contains(node.kind)) flops += Flops(graph, node);
  return flops;
}

TEST_CASE("random switches keep as many operations an edge as asked for, in order", "[bench]") {
  for (const int kept : {3, 5}) {
    const search::Switches switches = RandomSwitches(kept, 1);
    std::set<std::vector<search::Primitive>> different;
    for (const search::EdgeSwitches* edges : {&switches.normal, &switches.reduce})
      for (const auto& edge : *edges) {
        CHECK(static_cast<int>(edge.size()) == kept);
        CHECK(std::is_sorted(edge.begin(), edge.end()));
        different.insert(edge);
      }
    CHECK(different.size() > 5);
    CHECK(switches == RandomSwitches(kept, 1));
    CHECK(switches != RandomSwitches(kept, 2));
  }
}

TEST_CASE("the networks are those of the paper", "[bench]") {
  const auto spec_of = [](const std::string& stage) {
    return NetworkOf(stage, 2, PublishedCell(), tensor::Layout::kChannelsLast);
  };
  const int64_t cells[] = {5, 11, 17};
  const size_t operations[] = {8, 5, 3};
  for (int stage = 0; stage < 3; ++stage) {
    const auto spec = std::get<nn::SearchNetworkSpec>(spec_of(std::to_string(stage + 1)).spec);
    CHECK(spec.cells == cells[stage]);
    CHECK(spec.channels == 16);
    CHECK(spec.normal.front().size() == operations[stage]);
    CHECK(spec.skip_dropout == (stage > 0));
  }
  const auto cifar = std::get<nn::EvaluationNetworkSpec>(spec_of("cifar").spec);
  const auto large = std::get<nn::EvaluationNetworkSpec>(spec_of("cifar-large").spec);
  const auto imagenet = std::get<nn::EvaluationNetworkSpec>(spec_of("imagenet").spec);
  CHECK(nn::CountNetwork(cifar, 32).parameters == 3433798);
  CHECK(large.channels == 64);
  CHECK(imagenet.cells == 14);
  CHECK(spec_of("imagenet").step.image_size == 224);
}

TEST_CASE("floating-point operations of a step are those that the network's size counts", "[bench]") {
  using enum ir::OpKind;
  for (const std::string stage : {"cifar", "imagenet"}) {
    INFO(stage);
    const Network network = NetworkOf(stage, 2, PublishedCell(), tensor::Layout::kChannelsLast);
    const auto& spec = std::get<nn::EvaluationNetworkSpec>(network.spec);
    const ir::Graph forward = nn::EvaluationStep(spec, network.step);
    const auto multiply_adds = static_cast<double>(nn::CountNetwork(spec, network.step.image_size).multiply_adds);
    CHECK(FlopsOf(forward, {kConv2d, kLinear}) == 2 * 2 * multiply_adds);

    // Each backward pass of a convolution costs what its forward pass does; the image needs no gradient.
    const ir::Graph step = nn::WeightsStep(spec, network.step);
    double stem = 0;
    for (const ir::Node& node : step.nodes())
      if (node.kind == kConv2d && step.shape(node.inputs[0]).c() == 3) stem += Flops(step, node);
    CHECK(stem > 0);
    CHECK(FlopsOf(step, {kConv2dBwdWeights}) == FlopsOf(step, {kConv2d}));
    CHECK(FlopsOf(step, {kConv2dBwdData}) == FlopsOf(step, {kConv2d}) - stem);
  }
}

TEST_CASE("a report counts the plan's kernels, bytes and memory", "[bench]") {
  const auto backend = backends::NewCpuBackend();
  const Network network = SmallSupernet();
  const Report report = RunStepBench(network, *backend, {.steps = 1, .isa = "any"});

  const plan::Plan weights = plan::Compile(nn::WeightsStep(network.spec, network.step), *backend);
  const plan::Plan architecture =
      plan::Compile(nn::ArchitectureStep(std::get<nn::SearchNetworkSpec>(network.spec), network.step), *backend);
  CHECK(report.planned.temporary == std::max(weights.stats().temporary_bytes, architecture.stats().temporary_bytes));
  std::set<std::string> names;
  size_t slots = 0;
  for (const plan::Plan* plan : {&weights, &architecture})
    for (const ir::Slot& slot : plan->graph().slots())
      if (names.insert(slot.name).second) slots += slot.desc.bytes();
  CHECK(report.planned.parameters + report.planned.statistics + report.planned.optimizer == slots);
  CHECK(report.planned.total() == slots + report.planned.inputs + report.planned.temporary);

  const auto calls = [](const std::vector<OpRow>& rows) {
    int64_t sum = 0;
    for (const OpRow& row : rows) sum += row.calls;
    return sum;
  };
  const auto steps = static_cast<int64_t>(weights.steps().size());
  CHECK(calls(report.weights.profile.kinds) == steps);
  CHECK(calls(report.weights.profile.kernels) == steps);
  REQUIRE(report.architecture.has_value());
  CHECK(calls(report.architecture->profile.kinds) == static_cast<int64_t>(architecture.steps().size()));
  CHECK(report.weights.times.min_ms > 0);
  CHECK(report.peak_bytes >= report.base_bytes);
}

TEST_CASE("the keys of a report's JSON that other programs read", "[bench]") {
  const auto backend = backends::NewCpuBackend();
  Report report = RunStepBench(SmallSupernet(), *backend, {.steps = 1, .isa = "any"});
  const auto json = ToJson(report);
  for (const char* key : {"stage", "batch", "threads", "isa", "weight_step", "arch_step", "planned_bytes", "peak_bytes",
                          "reorders", "ops"})
    CHECK(json.contains(key));
  for (const char* step : {"weight_step", "arch_step"})
    for (const char* key : {"median_ms", "min_ms", "max_ms", "ms_per_image"}) CHECK(json[step][key].get<double>() > 0);
  CHECK(json["planned_bytes"].get<size_t>() == report.planned.total());
  CHECK(json["reorders"].is_number_integer());
  double share = 0;
  for (const auto& op : json["ops"]) {
    for (const char* key : {"kind", "calls", "ms", "gflops", "gbs"}) CHECK(op.contains(key));
    const std::string kind = op["kind"];
    CHECK((op["gflops"].get<double>() > 0) ==
          (kind.starts_with("conv") || kind.starts_with("linear") || kind.starts_with("separable")));
    share += op["share"].get<double>();
  }
  CHECK(std::abs(share - 1) < 1e-9);
  CHECK(json["operations"]["normal"].size() == 14);
  CHECK(json["operations"]["reduce"][0].size() == 3);
  report.architecture.reset();
  CHECK(ToJson(report)["arch_step"].is_null());
}

TEST_CASE("the convolution floor runs every convolution of the step, none slower than the plans' own", "[bench]") {
  const auto backend = backends::NewCpuBackend();
  const Network network = SmallSupernet();
  const ir::Graph graph = nn::WeightsStep(network.spec, network.step);
  const ConvolutionFloor floor = MeasureConvolutionFloor(graph, *backend);
  CHECK(floor.ms > 0);
  double flops = 0, hot = 0;
  int64_t depthwise = 0;
  for (const FloorRow& row : floor.rows) {
    INFO(row.name << " " << row.kernel);
    CHECK(row.ms > 0);
    CHECK(row.ms <= row.unreordered_ms);
    CHECK(row.unreordered_ms <= row.chosen_ms);
    CHECK(row.kernel.find("ref") == std::string::npos);
    flops += row.flops * static_cast<double>(row.calls);
    hot += row.ms * static_cast<double>(row.calls);
    depthwise += row.name.find("groups 4") != std::string::npos || row.name.find("groups 8") != std::string::npos;
  }
  CHECK(depthwise > 0);
  CHECK(std::abs(hot - floor.hot_ms) < 1e-9 * hot);
  using enum ir::OpKind;
  CHECK(flops == FlopsOf(graph, {kConv2d, kConv2dBwdData, kConv2dBwdWeights}));
}

TEST_CASE("a backend's alternatives begin with its proposal and can all be built", "[bench]") {
  const auto backend = backends::NewCpuBackend();
  const Network network = SmallSupernet();
  const ir::Graph graph = nn::WeightsStep(network.spec, network.step);
  size_t most = 0, like_ours = 0;
  for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(graph.nodes().size()); ++id) {
    if (ir::Name(graph.node(id).kind).find("conv") != 0) continue;
    const auto alternatives = dynamic_cast<device::Alternatives&>(*backend).AlternativesOf(graph, id);
    REQUIRE(!alternatives.empty());
    CHECK(alternatives.front().name == backend->Propose(graph, id).front().name);
    const device::KernelSpec& own = alternatives.front();
    for (const device::KernelSpec& spec : alternatives) {
      CHECK(backend->Build(graph, id, spec) != nullptr);
      // What a depthwise forward of ours is measured against: oneDNN's jit on tensors as they lie.
      like_ours += graph.node(id).kind == ir::OpKind::kConv2d && spec.name.find(":jit_dw:") != std::string::npos &&
                   spec.input_layouts[0] == own.input_layouts[0] && spec.output_layouts == own.output_layouts;
    }
    most = std::max(most, alternatives.size());
    if (id > 400) break;
  }
  CHECK(most == 4);
  CHECK(like_ours > 0);
}

TEST_CASE("limits stand in a report's JSON where they were measured, and are null otherwise", "[bench]") {
  const auto backend = backends::NewCpuBackend();
  Report report = RunStepBench(SmallSupernet(), *backend, {.steps = 1, .isa = "any"});
  const char* const keys[] = {"conv_floor_ms", "step_over_floor", "peak_gflops", "bandwidth_gbs"};
  for (const char* key : keys) CHECK(ToJson(report)[key].is_null());
  report.limits = Limits{.machine = {.peak_gflops = 100, .copy_memory_gbs = 20}, .weights = {.ms = 2}};
  report.weights.times.median_ms = 3;
  const auto json = ToJson(report);
  CHECK(json["conv_floor_ms"] == 2.0);
  CHECK(json["step_over_floor"] == 1.5);
  CHECK(json["peak_gflops"] == 100.0);
  CHECK(json["bandwidth_gbs"] == 20.0);
  CHECK(ToMarkdown({report}).find("| 1.50 |") != std::string::npos);
}

TEST_CASE("the median of an even number of values is the mean of the middle two", "[bench]") {
  CHECK(Median({3, 1, 2}) == 2);
  CHECK(Median({4, 1, 3, 2}) == 2.5);
}

}  // namespace
}  // namespace pdarts::bench
