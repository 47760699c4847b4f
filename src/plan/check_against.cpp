#include "plan/check_against.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/op.h"

namespace pdarts::plan {
namespace {

using tensor::HostTensor;
using tensor::Layout;

// By the backend's own reorder, as a graph of one node.
HostTensor ReorderToPlain(device::Backend& backend, const tensor::TensorDesc& desc, Layout layout, const void* data) {
  ir::Graph graph;
  ir::Attributes attributes;
  attributes.Set("from", static_cast<int64_t>(layout));
  attributes.Set("to", static_cast<int64_t>(Layout::kPlain));
  const ir::ValueId src = graph.Input("src", desc, layout);
  graph.AddNode(ir::OpKind::kReorder, std::move(attributes), {src}, {&desc, 1});
  const auto node = static_cast<ir::NodeId>(graph.nodes().size() - 1);
  const device::KernelSpec spec = backend.Propose(graph, node).at(0);
  AlignedBuffer plain(desc.bytes(), "a tensor to check"), workspace(spec.workspace_bytes, "workspace");
  void* const outputs[] = {plain.data()};
  backend.Build(graph, node, spec)->Launch({&data, 1}, outputs, workspace.data());
  HostTensor tensor(desc);
  std::memcpy(tensor.data(), plain.data(), desc.bytes());
  return tensor;
}

HostTensor ChannelsLastToPlain(const tensor::TensorDesc& desc, const void* data) {
  HostTensor tensor(desc);
  const tensor::Shape& shape = desc.shape;
  const size_t element = tensor::SizeOf(desc.dtype);
  const int64_t pixels = shape.h() * shape.w();
  for (int64_t n = 0; n < shape.n(); ++n)
    for (int64_t c = 0; c < shape.c(); ++c)
      for (int64_t p = 0; p < pixels; ++p)
        std::memcpy(tensor.data() + ((n * shape.c() + c) * pixels + p) * element,
                    static_cast<const std::byte*>(data) + ((n * pixels + p) * shape.c() + c) * element, element);
  return tensor;
}

HostTensor PlainCopy(device::Backend& backend, const tensor::TensorDesc& desc, Layout layout, const void* data) {
  if (layout == Layout::kChannelsLast && desc.shape.rank() == 4) return ChannelsLastToPlain(desc, data);
  if (layout != Layout::kPlain && layout != Layout::kChannelsLast) return ReorderToPlain(backend, desc, layout, data);
  HostTensor tensor(desc);
  std::memcpy(tensor.data(), data, desc.bytes());
  return tensor;
}

double RelativeError(const HostTensor& got, const HostTensor& want) {
  const std::vector<double> a = got.ToDoubles(), b = want.ToDoubles();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a[i]) != std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    if (!std::isfinite(b[i])) continue;
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  if (difference == 0) return 0;
  return norm == 0 ? std::numeric_limits<double>::infinity() : std::sqrt(difference / norm);
}

class StepChecker {
 public:
  StepChecker(Executor& executor, device::Backend& backend) : executor_(executor), backend_(backend) {}

  // Runs the step; the errors of its outputs.
  std::vector<double> Run(int step) {
    const Plan& plan = executor_.plan();
    const ir::Graph& graph = plan.graph();
    const ir::Node& node = graph.node(plan.steps()[step].node);
    std::vector<HostTensor> inputs, wanted;
    std::vector<const void*> input_data;
    std::vector<void*> output_data;
    // Copied before the step runs, which may overwrite them.
    for (size_t i = 0; i < node.inputs.size(); ++i)
      inputs.push_back(Plain(node.inputs[i], executor_.step_inputs(step)[i]));
    for (ir::ValueId output : node.outputs) wanted.emplace_back(graph.desc(output));
    for (const HostTensor& input : inputs) input_data.push_back(input.data());
    for (HostTensor& output : wanted) output_data.push_back(output.data());
    ops::Definition(node.kind).reference({graph, node, input_data, output_data});

    executor_.RunStep(step, [&] {
      for (size_t i = 0; i < node.outputs.size(); ++i)
        errors_.push_back(RelativeError(Plain(node.outputs[i], executor_.step_outputs(step)[i]), wanted[i]));
    });
    return std::move(errors_);
  }

 private:
  HostTensor Plain(ir::ValueId value, const void* data) {
    const Plan& plan = executor_.plan();
    return PlainCopy(backend_, plan.graph().desc(value), plan.layout(value), data);
  }

  Executor& executor_;
  device::Backend& backend_;
  std::vector<double> errors_;
};

std::string Describe(const StepError& error) {
  return fmt::format("{:.1e} at step {}, output {} ({}{}{})", error.error, error.step, error.output, error.kernel,
                     error.node_name.empty() ? "" : ", ", error.node_name);
}

}  // namespace

CheckReport CheckAgainstReference(Executor& executor, device::Backend& backend, double tolerance) {
  CheckReport report;
  const Plan& plan = executor.plan();
  executor.Prepare();
  for (const Step& info : plan.steps()) {
    const ir::Node& node = plan.graph().node(info.node);
    const std::vector<double> errors = StepChecker(executor, backend).Run(report.steps);
    for (size_t i = 0; i < errors.size(); ++i) {
      const StepError error{report.steps, static_cast<int>(i), info.spec.name, node.name, errors[i]};
      StepError& worst = report.worst[node.kind];
      if (worst.step < 0 || error.error > worst.error) worst = error;
      if (error.error > tolerance && !report.first_fault) report.first_fault = error;
    }
    ++report.steps;
  }
  return report;
}

std::string ToString(const CheckReport& report) {
  std::vector<std::pair<ir::OpKind, StepError>> kinds(report.worst.begin(), report.worst.end());
  std::ranges::stable_sort(kinds, [](const auto& a, const auto& b) { return a.second.error > b.second.error; });
  std::string text;
  for (const auto& [kind, error] : kinds) text += fmt::format("{} {}\n", ir::Name(kind), Describe(error));
  if (report.first_fault) text += fmt::format("first fault: {}\n", Describe(*report.first_fault));
  return text;
}

}  // namespace pdarts::plan
