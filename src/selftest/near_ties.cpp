#include "selftest/near_ties.h"

#include <cmath>

#include "ops/ops.h"

namespace pdarts::selftest {
namespace {

using tensor::Shape;

// Each node's output with its place in the graph's order among those of the same name and kind.
std::map<ir::ValueId, std::string> TensorNames(const ir::Graph& graph) {
  std::map<ir::ValueId, std::string> names;
  std::map<std::string, int> seen;
  for (const ir::Node& node : graph.nodes())
    for (size_t output = 0; output < node.outputs.size(); ++output) {
      const std::string name = fmt::format("{} of {}", ir::Name(node.kind), node.name);
      const int before = seen[name]++;
      names[node.outputs[output]] = before == 0 ? name : fmt::format("{} ({})", name, before + 1);
    }
  return names;
}

// Root mean square of each channel over images and pixels.
std::vector<double> ChannelScale(const double* data, const Shape& shape) {
  std::vector<double> squares(static_cast<size_t>(shape.c()));
  const int64_t pixels = shape.h() * shape.w();
  for (int64_t i = 0; i < shape.elements(); ++i) squares[(i / pixels) % shape.c()] += data[i] * data[i];
  for (double& sum : squares) sum = std::sqrt(sum / static_cast<double>(shape.n() * pixels));
  return squares;
}

// Calls visit(largest, second) with the positions of the two largest values of each window with more than one pixel.
template <class F>
void ForEachWindow(const double* data, const Shape& src, const Shape& dst, const ops::PoolAttributes& a, F&& visit) {
  for (int64_t out = 0; out < dst.elements(); ++out) {
    const int64_t y = out / dst.w() % dst.h(), x = out % dst.w(), plane = out / (dst.h() * dst.w()) * src.h() * src.w();
    int64_t best = -1, second = -1;
    for (int64_t tap = 0; tap < a.kernel * a.kernel; ++tap) {
      const int64_t row = y * a.stride - a.pad + tap / a.kernel, column = x * a.stride - a.pad + tap % a.kernel;
      if (row < 0 || row >= src.h() || column < 0 || column >= src.w()) continue;
      const int64_t i = plane + row * src.w() + column;
      if (best < 0 || data[i] > data[best])
        second = best, best = i;
      else if (second < 0 || data[i] > data[second])
        second = i;
    }
    if (second >= 0) visit(best, second);
  }
}

}  // namespace

std::string NearTie::ToString() const {
  return fmt::format("{}, element {}{}: {:.2g}", tensor, element, other < 0 ? "" : fmt::format(" against {}", other),
                     distance);
}

NearTies::NearTies(const plan::Plan& plan) {
  const ir::Graph& graph = plan.graph();
  const std::map<ir::ValueId, std::string> names = TensorNames(graph);
  std::map<ir::ValueId, Watched> read;
  for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(graph.nodes().size()); ++id) {
    const ir::Node& node = graph.node(id);
    if (node.kind == ir::OpKind::kRelu) read[node.inputs[0]].relu = true;
    if (node.kind == ir::OpKind::kMaxPool) read[node.inputs[0]].pools.push_back(id);
  }
  for (const auto& [value, watched] : read)
    PD_CHECK(graph.shape(value).rank() == 4, "{} is {}", names.at(value), graph.shape(value).ToString());
  for (int step = 0; step < static_cast<int>(plan.steps().size()); ++step) {
    const ir::Node& node = graph.node(plan.steps()[step].node);
    for (int output = 0; output < static_cast<int>(node.outputs.size()); ++output) {
      const auto it = read.find(node.outputs[output]);
      if (it == read.end()) continue;
      it->second.output = output;
      it->second.tensor = names.at(it->first);
      watched_.emplace(step, it->second);
    }
  }
}

void NearTies::Find(const plan::Executor& executor, int step, std::vector<NearTie>& found) const {
  const ir::Graph& graph = executor.plan().graph();
  for (auto [it, end] = watched_.equal_range(step); it != end; ++it) {
    const Watched& watched = it->second;
    const double* data = static_cast<const double*>(executor.step_outputs(step)[watched.output]);
    const Shape& shape = graph.shape(graph.node(executor.plan().steps()[step].node).outputs[watched.output]);
    const std::vector<double> scale = ChannelScale(data, shape);
    const auto add = [&](int64_t element, int64_t other, double difference) {
      const double distance = difference / scale[element / (shape.h() * shape.w()) % shape.c()];
      if (distance > 0 && distance <= kNearTie) found.push_back({watched.tensor, element, other, distance});
    };
    if (watched.relu)
      for (int64_t i = 0; i < shape.elements(); ++i) add(i, -1, std::abs(data[i]));
    for (const ir::NodeId id : watched.pools) {
      const ir::Node& pool = graph.node(id);
      ForEachWindow(data, shape, graph.shape(pool.outputs[0]), ir::Unpack<ops::PoolAttributes>(pool.attributes),
                    [&](int64_t best, int64_t second) { add(second, best, data[best] - data[second]); });
    }
  }
}

void NearTies::Turn(const plan::Executor& executor, int step, const std::vector<NearTie>& turned) const {
  for (auto [it, end] = watched_.equal_range(step); it != end; ++it) {
    double* data = static_cast<double*>(executor.step_outputs(step)[it->second.output]);
    for (const NearTie& tie : turned) {
      if (tie.tensor != it->second.tensor) continue;
      if (tie.other < 0)
        data[tie.element] = -data[tie.element];
      else
        std::swap(data[tie.element], data[tie.other]);
    }
  }
}

}  // namespace pdarts::selftest
