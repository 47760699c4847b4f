#include "bench/op_profile.h"

#include <algorithm>
#include <map>
#include <set>

#include "ops/op.h"

namespace pdarts::bench {
namespace {

std::vector<OpRow> Sorted(const std::map<std::string, OpRow>& rows) {
  std::vector<OpRow> sorted;
  for (const auto& [name, row] : rows) sorted.push_back(row);
  std::stable_sort(sorted.begin(), sorted.end(), [](const OpRow& a, const OpRow& b) { return a.ms > b.ms; });
  return sorted;
}

}  // namespace

double Median(std::vector<double> values) {
  PD_CHECK(!values.empty(), "the median of nothing");
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return (values[n / 2] + values[(n - 1) / 2]) / 2;
}

double Flops(const ir::Graph& graph, const ir::Node& node) {
  return 2 * static_cast<double>(ops::MultiplyAdds(graph, node));
}

double Bytes(const plan::Plan& plan, const ir::Node& node, const device::Backend& backend) {
  std::set<ir::ValueId> values(node.inputs.begin(), node.inputs.end());
  values.insert(node.outputs.begin(), node.outputs.end());
  double bytes = 0;
  for (ir::ValueId value : values)
    bytes += static_cast<double>(backend.Bytes(plan.graph().desc(value), plan.layout(value)));
  return bytes;
}

plan::Observer OpTimes::Observe() {
  return [this](const plan::StepEvent& event) {
    times_[static_cast<size_t>(event.step)].push_back(static_cast<double>(event.nanoseconds) * 1e-6);
  };
}

Profile OpTimes::Sum(const device::Backend& backend) const {
  std::map<std::string, OpRow> kinds, kernels;
  for (size_t i = 0; i < times_.size(); ++i) {
    const plan::Step& step = plan_.steps()[i];
    const ir::Node& node = plan_.graph().node(step.node);
    const std::string kind(ir::Name(node.kind));
    const double ms = Median(times_[i]), flops = Flops(plan_.graph(), node), bytes = Bytes(plan_, node, backend);
    const auto add = [&](OpRow& row, const std::string& name) {
      row.name = name;
      ++row.calls;
      row.ms += ms, row.flops += flops, row.bytes += bytes;
    };
    add(kinds[kind], kind);
    add(kernels[kind + " " + step.spec.name], kind + " " + step.spec.name);
  }
  return {Sorted(kinds), Sorted(kernels)};
}

}  // namespace pdarts::bench
