#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "backends/ref/ref_backend.h"
#include "ops/op.h"
#include "passes/memory.h"
#include "passes/rewrite.h"
#include "passes/schedule.h"
#include "plan/check_against.h"
#include "support/graph_checks.h"
#include "support/interpreter.h"
#include "support/layout_backend.h"
#include "support/small_step.h"

namespace pdarts::passes {
namespace {

using ir::Graph;
using ir::OpKind;
using ir::ValueId;
using tensor::DType;
using tensor::Layout;
using tensor::Shape;
using tensor::TensorDesc;
using tests::CheckSameValues;
using tests::Count;

const TensorDesc kImage{DType::kF32, Shape{2, 3, 4, 4}};

TEST_CASE("Zeros vanish from sums, and what is linear in zeros is zeros", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", kImage), table = graph.Input("table", {DType::kF32, Shape{1, 3}});
  const ValueId zeros = ops::ScaleSamples(graph, ops::Scale(graph, ops::Relu(graph, ops::Zeros(graph, kImage)), 3),
                                          graph.Input("factors", {DType::kF64, Shape{2}}));
  graph.Output("kept", ops::AddN(graph, {zeros, ops::WeightedSum(graph, {zeros, x, zeros}, table, {0, 1, 2})}));
  graph.Output("zero", ops::WeightedSum(graph, {zeros, zeros}, table, {0, 2}));
  const Graph folded = DeadCode(FoldZero(graph));
  CHECK(Count(folded, OpKind::kZeros) == 1);
  for (const OpKind kind : {OpKind::kRelu, OpKind::kScale, OpKind::kScaleSamples, OpKind::kAddN})
    CHECK(Count(folded, kind) == 0);
  const ir::Node& sum = folded.node(folded.value(folded.outputs()[0].second).producer);
  CHECK(sum.kind == OpKind::kWeightedSum);
  CHECK(sum.attributes.ToString() == "indices=[1]");
  CHECK(folded.node(folded.value(folded.outputs()[1].second).producer).kind == OpKind::kZeros);
}

// Two nodes as of a searched cell, the second with two edges: a pool + BN in both, a BN of its own in each sum, plain
// terms; and the gradients of x and, if wanted, of the alphas.
Graph SearchedNodes(bool alphas_wanted) {
  const TensorDesc image{DType::kF64, Shape{2, 3, 4, 4}};
  Graph graph;
  const ValueId x = graph.Input("x", image), alphas = graph.Input("alphas", {DType::kF64, Shape{3, 3}});
  const ValueId table = ops::Softmax(graph, alphas);
  const auto norm = [&](ValueId src) { return ops::BatchNorm(graph, src, ir::kNoValue, ir::kNoValue, 1e-5).dst; };
  const ValueId pool = norm(ops::AvgPool(graph, x, {3, 1, 1}));
  const ValueId first = ops::WeightedSum(graph, {pool, norm(ops::Relu(graph, x)), x}, table, {0, 1, 2});
  const ValueId second =
      ops::AddN(graph, {ops::WeightedSum(graph, {pool, norm(ops::MaxPool(graph, x, {3, 1, 1}))}, table, {3, 5}),
                        ops::WeightedSum(graph, {norm(ops::Relu(graph, first)), first}, table, {6, 8})});
  const ValueId result = ops::Concat(graph, {first, second});
  graph.Output("result", result);
  std::vector<ValueId> wanted = {x};
  if (alphas_wanted) wanted.push_back(alphas);
  const auto diffs = ops::DifferentiateFrom(graph, result, graph.Input("diff", graph.desc(result)), wanted);
  for (size_t i = 0; i < diffs.size(); ++i) graph.Output(i == 0 ? "diff_x" : "diff_alphas", diffs[i]);
  return graph;
}

TEST_CASE("Sums of batch norms normalise by themselves, and their backward does not scale", "[passes]") {
  for (const bool alphas : {false, true}) {
    const Graph graph = DeadCode(MergeSums(SearchedNodes(alphas)));
    const Graph fused = FuseNormalizedSums(graph);
    ir::Verify(fused);
    CAPTURE(alphas, ir::ToString(fused));
    CHECK(Count(graph, OpKind::kBatchNormApply) == 4);
    CHECK(Count(graph, OpKind::kWeightedSumBwdWeights) == (alphas ? 3 : 0));
    CHECK(Count(graph, OpKind::kBatchNormBwdSums) == 4);
    CHECK(Count(graph, OpKind::kScaleByWeight) == 5);  // of three norms, and of x and the first node as plain terms

    CHECK(Count(fused, OpKind::kNormalizedSum) == 2);
    CHECK(Count(fused, OpKind::kNormalizedSumBwd) == 2);
    CHECK(Count(fused, OpKind::kBatchNormApply) == 0);
    CHECK(Count(fused, OpKind::kWeightedSum) == 3);  // of the shared pool: its gradient, diff_gamma, diff_beta
    CHECK(Count(fused, OpKind::kWeightedSumBwdWeights) == 0);
    CHECK(Count(fused, OpKind::kBatchNormBwdSums) == 0);
    CHECK(Count(fused, OpKind::kBatchNormBwdData) == 4);
    CHECK(Count(fused, OpKind::kScaleByWeight) == 2);
    CHECK(DeadCode(fused).nodes().size() == fused.nodes().size());
    CheckSameValues(graph, fused);
    CheckSameValues(SearchedNodes(alphas), FuseNormalizedSums(SearchedNodes(alphas)));  // sums not merged
  }
}

TEST_CASE("A batch norm that something else reads too stays a term of its sum", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", kImage), table = graph.Input("table", {DType::kF32, Shape{1, 3}});
  const ValueId read = ops::BatchNorm(graph, x, ir::kNoValue, ir::kNoValue, 1e-5).dst;
  const ValueId alone = ops::BatchNorm(graph, ops::Relu(graph, x), ir::kNoValue, ir::kNoValue, 1e-5).dst;
  const ValueId other = ops::BatchNorm(graph, ops::Scale(graph, x, 2), ir::kNoValue, ir::kNoValue, 1e-3).dst;
  graph.Output("relu", ops::Relu(graph, read));
  graph.Output("sum", ops::WeightedSum(graph, {read, alone, other}, table, {0, 1, 2}));
  const Graph fused = FuseNormalizedSums(graph);
  CHECK(Count(fused, OpKind::kBatchNormApply) == 2);
  const ir::Node& sum = fused.node(fused.value(fused.outputs()[1].second).producer);
  REQUIRE(sum.kind == OpKind::kNormalizedSum);
  CHECK(sum.attributes.ToString() == "indices=[0,1,2] normalized=[0,1,0] epsilon=1e-05 drops=[]");
}

TEST_CASE("Dead code goes, what an assignment or output needs stays", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", kImage);
  ops::Relu(graph, ops::Scale(graph, x, 2));
  const auto slot = graph.AddSlot({"s", ir::SlotRole::kParameter, kImage, "zeros"});
  graph.Assign(slot, ops::Scale(graph, x, 3));
  graph.Output("relu", ops::Relu(graph, x));
  const Graph live = DeadCode(graph);
  CHECK(live.nodes().size() == 3);
  CHECK(live.assignments().size() == 1);
}

TEST_CASE("Rewrites keep names, slots and outputs", "[passes]") {
  const Graph graph = test::SmallStep(2, true);
  std::vector<PassTime> times;
  const Graph rewritten = RunRewrites(graph, {}, times);
  CHECK(times.size() == Rewrites().size());
  CHECK(rewritten.slots().size() == graph.slots().size());
  CHECK(rewritten.outputs().size() == graph.outputs().size());
  CHECK(ir::ToString(rewritten).find("# stem_bn") != std::string::npos);
  CHECK(RunRewrites(graph, RewriteNames(), times).nodes().size() == graph.nodes().size());
}

// relu, depthwise, 1x1, batch norm, and the same again; both ends have other readers. Outputs: the result and, in
// training, all gradients.
Graph TwiceSeparable(bool training) {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF32, Shape{2, 8, 6, 6}});
  std::vector<ValueId> wanted = {x};
  const auto half = [&](ValueId src, const char* name) {
    const ValueId depthwise = graph.Input(std::string(name) + ".depthwise", {DType::kF32, Shape{8, 1, 3, 3}});
    const ValueId pointwise = graph.Input(std::string(name) + ".pointwise", {DType::kF32, Shape{8, 8, 1, 1}});
    wanted.insert(wanted.end(), {depthwise, pointwise});
    const ValueId middle = ops::Conv2d(graph, ops::Relu(graph, src), depthwise, {1, 1, 1, 1, 1, 8});
    return ops::BatchNorm(graph, ops::Conv2d(graph, middle, pointwise, {}), ir::kNoValue, ir::kNoValue, 1e-5);
  };
  const ops::BatchNormOutputs first = half(x, "first"), second = half(first.dst, "second");
  const ValueId result = ops::AddN(graph, {second.dst, x});
  graph.Output("result", result);
  graph.Output("mean", first.mean);
  graph.Output("variance", second.variance);
  if (!training) return graph;
  const ValueId diff = graph.Input("diff", graph.desc(result));
  int number = 0;
  for (ValueId gradient : ops::DifferentiateFrom(graph, result, diff, wanted))
    graph.Output(fmt::format("gradient{}", number++), gradient);
  return graph;
}

TEST_CASE("A separable convolution becomes one node each way", "[passes]") {
  for (const bool training : {false, true}) {
    const Graph graph = TwiceSeparable(training);
    const Graph fused = DeadCode(FuseSeparable(graph));
    CHECK(Count(fused, OpKind::kSeparable) == 2);
    CHECK(Count(fused, OpKind::kSeparableBwd) == (training ? 2 : 0));
    CHECK(Count(fused, OpKind::kConv2d) + Count(fused, OpKind::kConv2dBwdData) == 0);
    CHECK(Count(fused, OpKind::kConv2dBwdWeights) + Count(fused, OpKind::kRelu) == 0);
    CHECK(Count(fused, OpKind::kBatchNormApply) == 1);                     // the last one's
    CHECK(Count(fused, OpKind::kBatchNormBwdSums) == (training ? 1 : 0));  // the last one's too
    std::map<std::string, tensor::HostTensor> named;
    for (const ir::Node& node : graph.nodes())
      if (node.kind == OpKind::kInput)
        named[std::get<std::string>(node.attributes.Get("name"))] =
            tests::RandomTensor(graph.desc(node.outputs[0]), static_cast<uint32_t>(named.size()));
    const auto plain = tests::Interpret(graph, named), values = tests::Interpret(fused, named);
    for (size_t i = 0; i < graph.outputs().size(); ++i)
      CHECK(plain[graph.outputs()[i].second].ToDoubles() == values[fused.outputs()[i].second].ToDoubles());
  }
}

TEST_CASE("What lies inside a separable convolution and is read elsewhere keeps it whole", "[passes]") {
  for (const bool inner : {false, true}) {
    Graph graph = TwiceSeparable(true);
    for (const ir::Node& node : std::vector<ir::Node>(graph.nodes()))
      if (node.kind == OpKind::kConv2d && (graph.shape(node.inputs[1])[1] == 1) == inner)
        graph.Output(fmt::format("read{}", node.outputs[0]), node.outputs[0]);
    const Graph fused = DeadCode(FuseSeparable(graph));
    CHECK(Count(fused, OpKind::kSeparable) == (inner ? 0 : 2));  // the 1x1's result is the node's own
    CHECK(Count(fused, OpKind::kSeparableBwd) == (inner ? 0 : 2));
  }
}

// Separable convolutions of x with windows of this size and dilation, their sum and all gradients. `skip`: the ReLU
// that they share is read by something else too, as in a reduction cell.
Graph Branches(const std::vector<std::pair<int64_t, int64_t>>& windows, int64_t stride, bool skip) {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, 8, 6, 6}}), relu = ops::Relu(graph, x);
  std::vector<ValueId> wanted = {x}, terms;
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto [kernel, dilation] = windows[i];
    const int64_t pad = dilation * (kernel / 2);
    wanted.push_back(graph.Input(fmt::format("depthwise{}", i), {DType::kF64, Shape{8, 1, kernel, kernel}}));
    const ValueId middle = ops::Conv2d(graph, relu, wanted.back(), {stride, stride, pad, pad, dilation, 8});
    wanted.push_back(graph.Input(fmt::format("pointwise{}", i), {DType::kF64, Shape{8, 8, 1, 1}}));
    const ValueId dst = ops::Conv2d(graph, middle, wanted.back(), {});
    terms.push_back(ops::BatchNorm(graph, dst, ir::kNoValue, ir::kNoValue, 1e-5).dst);
  }
  terms.push_back(ops::AvgPool(graph, x, {3, stride, 1}));
  if (skip) terms.push_back(ops::Subsample(graph, relu, 1));
  const ValueId result = ops::AddN(graph, terms), diff = graph.Input("diff", graph.desc(result));
  graph.Output("result", result);
  int number = 0;
  for (ValueId gradient : ops::DifferentiateFrom(graph, result, diff, wanted))
    graph.Output(fmt::format("gradient{}", number++), gradient);
  return DeadCode(FuseSeparable(graph));
}

const ir::Node& Only(const Graph& graph, OpKind kind) {
  REQUIRE(Count(graph, kind) == 1);
  return *std::ranges::find_if(graph.nodes(), [&](const ir::Node& node) { return node.kind == kind; });
}

TEST_CASE("Separable convolutions of one tensor become branches of one node each way", "[passes]") {
  for (const bool skip : {false, true}) {
    const Graph graph = Branches({{3, 1}, {5, 1}, {3, 2}}, skip ? 2 : 1, skip);
    CHECK(Count(graph, OpKind::kSeparable) == 3);
    CHECK(Count(graph, OpKind::kSeparableBwd) == 3);
    const Graph grouped = GroupSeparable(graph);
    ir::Verify(grouped);
    CAPTURE(skip, ir::ToString(grouped));
    CHECK(Only(grouped, OpKind::kSeparable).attributes.ToString().find("dilation=[1,1,2]") != std::string::npos);
    const ir::Node& backward = Only(grouped, OpKind::kSeparableBwd);
    // Without the skip, the group's sum is all of the ReLU's gradient, and it masks that itself.
    CHECK(backward.attributes.Int("mask") == (skip ? 0 : 1));
    CHECK(Count(grouped, OpKind::kReluBwd) == (skip ? 1 : 0));
    CHECK(Count(grouped, OpKind::kAddN) == (skip ? 3 : 2));  // the result, x's gradient, the ReLU's
    CHECK(DeadCode(grouped).nodes().size() == grouped.nodes().size());
    CheckSameValues(graph, grouped);
    CHECK(ir::ToString(GroupSeparable(grouped)) == ir::ToString(grouped));
  }
}

TEST_CASE("A separable convolution whose weights are computed later begins a group of its own", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF64, Shape{2, 8, 6, 6}});
  const auto convolve = [&](ValueId depthwise) {
    const ValueId pointwise = graph.Input("pointwise", {DType::kF64, Shape{8, 8, 1, 1}});
    const auto outputs = ops::Separable(graph, {x, depthwise, pointwise}, {{1}, {1}, {1}, {1}, 0, 0, 1});
    graph.Output(fmt::format("dst{}", outputs[0]), outputs[0]);
    return outputs;
  };
  const TensorDesc weights{DType::kF64, Shape{8, 1, 3, 3}};
  const ValueId variance = convolve(graph.Input("a", weights))[2];
  convolve(ops::Scale(graph, graph.Input("b", weights), 2));  // it and what follows stand after this
  convolve(graph.Input("c", weights));
  graph.Output("variance", variance);
  const Graph grouped = GroupSeparable(graph);
  ir::Verify(grouped);
  CHECK(Count(grouped, OpKind::kSeparable) == 2);
  CheckSameValues(graph, grouped);
}

// Nodes separable_bwd that read one x. Where their diff_src goes, and who else reads their weights' gradients, is up to
// the test.
struct BackwardNodes {
  Graph graph;
  ValueId x = graph.Input("x", {DType::kF64, Shape{2, 8, 6, 6}});
  std::vector<ValueId> Add(int64_t mask = 0) {
    const int number = count++;
    const auto input = [&](const char* name, Shape shape) {
      return graph.Input(fmt::format("{}{}", name, number), {DType::kF64, std::move(shape)});
    };
    const Shape image{2, 8, 6, 6};
    const ValueId dst = input("dst", image);
    const auto statistics = ops::Emit(graph, OpKind::kBatchNormStatistics, {}, {dst});
    std::vector<ValueId> inputs = {x, input("depthwise", Shape{8, 1, 3, 3}), input("pointwise", Shape{8, 8, 1, 1}),
                                   dst};
    inputs.insert(inputs.end(), statistics.begin(), statistics.end());
    inputs.insert(inputs.end(), {input("diff", image), input("gamma", Shape{8}), input("beta", Shape{8})});
    const auto outputs =
        ops::SeparableBwd(graph, std::move(inputs), {{{1}, {1}, {1}, {1}, 0, 0, 1}, mask, 1, {0}, {-1}});
    graph.Output(fmt::format("weights{}", number), outputs[1]);
    return outputs;
  }
  int count = 0;
};

TEST_CASE("Gradients of separable convolutions are grouped by the sum that they go to", "[passes]") {
  BackwardNodes nodes;
  std::vector<ValueId> diffs;
  for (int64_t mask : {0, 0, 0, 0, 1, 1}) diffs.push_back(nodes.Add(mask)[0]);
  Graph& graph = nodes.graph;
  const ValueId second = ops::AddN(graph, {diffs[2], diffs[3]});
  graph.Output("sum", ops::AddN(graph, {diffs[0], diffs[4], nodes.x, diffs[1], diffs[5]}));
  graph.Output("read twice", ops::AddN(graph, {second, diffs[3]}));
  const Graph grouped = GroupSeparable(graph);
  ir::Verify(grouped);
  CHECK(Count(grouped, OpKind::kSeparableBwd) == 4);  // of the masked ones, of the others with the same sum, two alone
  CHECK(grouped.node(grouped.value(grouped.outputs()[6].second).producer).inputs.size() == 3);
  CheckSameValues(graph, grouped);
}

TEST_CASE("A gradient of weights that is read early keeps its separable convolution out of the group", "[passes]") {
  ir::Attributes half;  // of the weights' gradient, as an unstack takes it
  half.Set("first", int64_t{4});
  half.Set("rows", int64_t{4});
  for (const auto& [members, unstacked] : {std::pair{2, false}, {3, false}, {3, true}}) {
    BackwardNodes nodes;
    Graph& graph = nodes.graph;
    const auto first = nodes.Add();
    std::vector<ValueId> diffs = {first[0]};
    const ValueId early =
        ops::Scale(graph, unstacked ? ops::Emit(graph, OpKind::kUnstack, half, {first[2]})[0] : first[2], 2);
    while (nodes.count < members) diffs.push_back(nodes.Add()[0]);
    graph.Output("early", early);
    graph.Output("diff", ops::Emit(graph, OpKind::kReluBwd, {}, {ops::AddN(graph, diffs), nodes.x})[0]);
    const Graph grouped = GroupSeparable(graph);
    ir::Verify(grouped);
    CHECK(Count(grouped, OpKind::kSeparableBwd) == 2);
    CHECK(Count(grouped, OpKind::kReluBwd) == 1);
    CheckSameValues(graph, grouped);
  }
}

// Convolutions one by one, whose layouts these tests count.
const plan::CompileOptions kUnfused{.disabled_passes = {"fuse_separable"}};

TEST_CASE("Activations stay channels last between the images and the pool", "[passes]") {
  const auto backend = test::NewLayoutBackend({});
  const plan::Plan plan = plan::Compile(test::SmallStep(2, true), *backend, kUnfused);
  CHECK(plan.stats().reorders.activations == 1);  // the images, once for the convolution and its gradient
  CHECK(plan.stats().reorders.activation_bytes == 2 * 3 * 6 * 6 * 4);
  CHECK(plan.stats().reorders.weights == 0);
}

TEST_CASE("Opaque weight layouts are reordered once per weight and counted apart", "[passes]") {
  const auto backend = test::NewLayoutBackend({.opaque_weights = true});
  const plan::Plan plan = plan::Compile(test::SmallStep(2, true), *backend, kUnfused);
  CHECK(plan.stats().reorders.activations == 1);
  CHECK(plan.stats().reorders.weights == 2);  // the stem's and c0's, whose gradient convolution shares it
}

TEST_CASE("A plan in other layouts gives the same numbers as the reference", "[passes]") {
  std::vector<double> losses;
  for (int which = 0; which < 2; ++which) {
    const auto backend = which == 0 ? backends::NewRefBackend() : test::NewLayoutBackend({.opaque_weights = true});
    const plan::Plan plan = plan::Compile(test::SmallStep(2, true), *backend, {.poison = true});
    plan::ModelStorage storage;
    plan::Executor executor(plan, storage);
    test::FillSlots(storage);
    test::FillInputs(storage, plan);
    for (int step = 0; step < 3; ++step) executor.Run();
    losses.push_back(storage.Output(plan, "loss").Copy().ToDoubles()[0]);
  }
  CHECK(losses[0] == losses[1]);
}

TEST_CASE("The check against the reference names the first step that differs", "[passes]") {
  for (const OpKind broken : {OpKind::kInput, OpKind::kAvgPool, OpKind::kConv2dBwdWeights}) {
    const auto backend = test::NewLayoutBackend({.opaque_weights = true, .broken = broken});
    const plan::Plan plan = plan::Compile(test::SmallStep(2, true), *backend, {.poison = true});
    plan::ModelStorage storage;
    plan::Executor executor(plan, storage);
    test::FillSlots(storage);
    test::FillInputs(storage, plan);
    const plan::CheckReport report = plan::CheckAgainstReference(executor, *backend, 1e-6);
    CHECK(report.steps == static_cast<int>(plan.steps().size()));
    REQUIRE(report.first_fault.has_value() == (broken != OpKind::kInput));
    for (const auto& [kind, worst] : report.worst) {
      INFO(ir::Name(kind));
      CHECK((kind == broken ? std::abs(worst.error - 0.01) < 1e-5 : worst.error == 0));
    }
    if (report.first_fault) CHECK(plan.graph().node(plan.steps()[report.first_fault->step].node).kind == broken);
    CHECK((ToString(report).find("first fault") != std::string::npos) == report.first_fault.has_value());
  }
}

// A chain and its memory, to damage.
struct Planned {
  LaidOut laid_out;
  std::vector<ir::NodeId> order;
  std::vector<size_t> bytes;
  MemoryPlan memory;
  std::string Fault() const { return FindMemoryFault(laid_out, order, bytes, memory); }
};

Planned PlanOf(const Graph& graph) {
  const auto backend = backends::NewRefBackend();
  Planned planned;
  planned.laid_out = AssignLayouts(graph, *backend);
  planned.order = BuildOrder(planned.laid_out);
  for (const ir::Value& value : planned.laid_out.graph.values()) planned.bytes.push_back(value.desc.bytes());
  planned.memory = PlanMemory(planned.laid_out, planned.order, planned.bytes, false);
  return planned;
}

TEST_CASE("The memory checker finds planted faults", "[passes]") {
  const Planned good = PlanOf(test::SmallStep(2, true));
  REQUIRE(good.Fault().empty());

  int found = 0, planted = 0;
  for (size_t value = 0; value < good.memory.places.size(); ++value) {
    if (good.memory.places[value].area != Area::kTemporary || good.memory.places[value].offset == 0) continue;
    Planned bad = good;
    bad.memory.places[value].offset -= device::kAlignment;
    ++planted;
    if (bad.Fault().find("overlap") != std::string::npos) ++found;
  }
  CHECK(planted > 20);
  CHECK(found > planted / 2);  // the others moved into a free gap

  Planned bad = good;
  bad.memory.temporary_bytes -= device::kAlignment;
  CHECK(bad.Fault().find("outside the arena") != std::string::npos);
  bad = good;
  std::swap(bad.order.front(), bad.order.back());
  CHECK_FALSE(bad.Fault().empty());
  bad = good;
  for (device::KernelSpec& spec : bad.laid_out.specs) spec.in_place.clear();
  CHECK(bad.Fault().find("while its slot is overwritten") != std::string::npos);
}

TEST_CASE("A workspace overlaps nothing that is alive", "[passes]") {
  Planned planned = PlanOf(test::SmallStep(2, false));
  for (ir::NodeId id : planned.order) planned.laid_out.specs[id].workspace_bytes = 1000;
  planned.memory = PlanMemory(planned.laid_out, planned.order, planned.bytes, false);
  REQUIRE(planned.Fault().empty());
  const ValueId first = planned.laid_out.graph.node(planned.order[0]).outputs[0];
  planned.memory.workspaces[0].offset = planned.memory.places[first].offset;
  CHECK(planned.Fault().find("workspace") != std::string::npos);
}

TEST_CASE("In-place pairs share memory only where the input dies", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", kImage);
  const ValueId a = ops::Scale(graph, x, 2), b = ops::Scale(graph, a, 3), c = ops::Scale(graph, b, 4);
  graph.Output("sum", ops::AddN(graph, {a, c}));
  Planned planned = PlanOf(graph);
  for (ir::NodeId id : planned.order) planned.laid_out.specs[id].in_place = {{0, 0}};
  planned.memory = PlanMemory(planned.laid_out, planned.order, planned.bytes, false);
  CHECK(planned.Fault().empty());
  const auto& places = planned.memory.places;
  CHECK(places[a].offset != places[b].offset);  // a is read again by the sum
  CHECK(places[b].offset == places[c].offset);
  CHECK(planned.memory.temporary_bytes == 2 * kImage.bytes());
}

TEST_CASE("Large buffers do not all begin at the same place of a page", "[passes]") {
  const auto offsets = [](int64_t side) {
    Graph graph;
    const ValueId x = graph.Input("x", {DType::kF32, Shape{2, 16, side, side}});
    std::vector<ValueId> terms;
    for (int i = 0; i < 3; ++i) terms.push_back(ops::Scale(graph, x, i + 2.0));
    graph.Output("sum", ops::AddN(graph, terms));
    const Planned planned = PlanOf(graph);
    CHECK(planned.Fault().empty());
    CHECK(planned.memory.live_bytes == static_cast<size_t>(4 * 2 * 16 * side * side * 4));  // without the gaps
    std::vector<size_t> result;
    for (ValueId term : terms) result.push_back(planned.memory.places[term].offset);
    std::ranges::sort(result);
    return result;
  };
  constexpr size_t kPage = 4096, kWay = 128 << 10, kMiB = 1 << 20;
  const std::vector<size_t> large = offsets(128), small = offsets(64);  // 2 MiB and half a MiB each
  for (size_t i = 1; i < large.size(); ++i) {
    const size_t step = large[i] - large[i - 1];
    CHECK(step > 2 * kMiB);
    CHECK(step < 2 * kMiB + 2 * kWay);
    CHECK(step % kPage != 0);
    CHECK(step % kWay > kPage);
    CHECK(small[i] - small[i - 1] == kMiB / 2);
  }
}

TEST_CASE("The greedy order frees early", "[passes]") {
  Graph graph;
  const ValueId x = graph.Input("x", {DType::kF32, Shape{2, 8, 8, 8}});
  std::vector<ValueId> large, small;
  for (int i = 0; i < 4; ++i) large.push_back(ops::Scale(graph, x, i + 2.0));
  for (int i = 0; i < 4; ++i) small.push_back(ops::GlobalAvgPool(graph, large[i]));
  graph.Output("sum", ops::AddN(graph, small));
  const Planned built = PlanOf(graph);
  Planned greedy = built;
  greedy.order = GreedyOrder(greedy.laid_out, greedy.bytes);
  greedy.memory = PlanMemory(greedy.laid_out, greedy.order, greedy.bytes, false);
  CHECK(greedy.Fault().empty());
  CHECK(greedy.memory.temporary_bytes < built.memory.temporary_bytes / 2);
}

}  // namespace
}  // namespace pdarts::passes
