#include "bench/convolution_floor.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/philox.h"
#include "bench/op_profile.h"
#include "device/alternatives.h"
#include "passes/rebuild.h"
#include "plan/storage.h"

namespace pdarts::bench {
namespace {

using ir::OpKind;
using Clock = std::chrono::steady_clock;

constexpr size_t kRingBytes = size_t{256} << 20;  // eight times a large cache

bool IsConvolution(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kConv2dBwdData || kind == OpKind::kConv2dBwdWeights;
}

// Of a tensor whose two outer dimensions are padded to the blocks of any layout.
size_t PaddedBytes(const tensor::TensorDesc& desc) {
  constexpr int64_t kBlock = 16;
  size_t bytes = tensor::SizeOf(desc.dtype);
  for (int i = 0; i < desc.shape.rank(); ++i)
    bytes *= static_cast<size_t>(i < 2 ? (desc.shape[i] + kBlock - 1) / kBlock * kBlock : desc.shape[i]);
  return bytes;
}

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Memory handed out in turn, so that what was used last is used again only after all the rest.
class Ring {
 public:
  Ring(size_t bytes, const char* what) : buffer_(bytes, what) {}

  std::byte* Take(size_t bytes) {
    bytes = (bytes + device::kAlignment - 1) / device::kAlignment * device::kAlignment;
    PD_CHECK(bytes <= buffer_.bytes(), "{} bytes of {}", bytes, buffer_.bytes());
    if (next_ + bytes > buffer_.bytes()) next_ = 0;
    next_ += bytes;
    return buffer_.data() + next_ - bytes;
  }
  std::span<float> floats() { return {reinterpret_cast<float*>(buffer_.data()), buffer_.bytes() / sizeof(float)}; }

 private:
  plan::AlignedBuffer buffer_;
  size_t next_ = 0;
};

struct OperandBytes {
  std::vector<size_t> inputs, outputs;
};

// Where operands lie.
struct Places {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
};

// A kernel with the sizes of its operands.
struct Candidate {
  device::KernelSpec spec;
  std::unique_ptr<device::Kernel> kernel;
  OperandBytes bytes;
};

struct Shape {
  FloorRow row;
  Candidate best;
};

class Floor {
 public:
  Floor(const ir::Graph& graph, device::Backend& backend) : graph_(graph), backend_(backend) {
    const std::vector<char> live = passes::LiveNodes(graph);
    for (size_t id = 0; id < live.size(); ++id)
      if (live[id] && IsConvolution(graph.nodes()[id].kind)) nodes_.push_back(static_cast<ir::NodeId>(id));
    size_t largest = 0;
    for (ir::NodeId id : nodes_)
      for (const auto* values : {&graph.node(id).inputs, &graph.node(id).outputs})
        for (ir::ValueId value : *values) largest = std::max(largest, PaddedBytes(graph.desc(value)));
    const size_t bytes = std::max(kRingBytes, 2 * largest);
    src_ = std::make_unique<Ring>(bytes, "operands of the convolution floor");
    dst_ = std::make_unique<Ring>(bytes, "results of the convolution floor");
    base::RandomSequence random(1, base::RandomStream::kTest);
    std::vector<float> noise(1 << 16);
    for (float& x : noise) x = static_cast<float>(random.Normal());
    for (size_t i = 0; i < src_->floats().size(); ++i) src_->floats()[i] = noise[i % noise.size()];
  }

  ConvolutionFloor Measure() {
    for (ir::NodeId id : nodes_) {
      Shape& shape = shapes_[KeyOf(id)];
      if (shape.row.calls++ == 0) FindBest(id, shape);
    }
    ConvolutionFloor floor;
    std::vector<double> passes;
    for (int i = 0; i < 4; ++i) passes.push_back(RunAll());
    passes.erase(passes.begin());
    floor.ms = Median(passes);
    for (auto& [name, shape] : shapes_) {
      floor.hot_ms += shape.row.ms * static_cast<double>(shape.row.calls);
      floor.rows.push_back(shape.row);
    }
    const auto sum = [](const FloorRow& row) { return row.ms * static_cast<double>(row.calls); };
    std::stable_sort(floor.rows.begin(), floor.rows.end(), [&](auto& a, auto& b) { return sum(a) > sum(b); });
    return floor;
  }

 private:
  // What tells two convolutions apart.
  std::string KeyOf(ir::NodeId id) const { return ShapesOf(id) + " " + graph_.node(id).attributes.ToString(); }

  std::string ShapesOf(ir::NodeId id) const {
    const ir::Node& node = graph_.node(id);
    const bool data = node.kind == OpKind::kConv2dBwdData, weights = node.kind == OpKind::kConv2dBwdWeights;
    const ir::ValueId src = data ? node.outputs[0] : node.inputs[0];
    const ir::ValueId filter = weights ? node.outputs[0] : node.inputs[1];
    return fmt::format("{} {} {}", ir::Name(node.kind), graph_.shape(src).ToString(), graph_.shape(filter).ToString());
  }

  // For people: the padding follows from the rest.
  std::string NameOf(ir::NodeId id) const {
    std::string name = ShapesOf(id);
    for (const char* attribute : {"stride_h", "dilation", "groups"})
      if (const int64_t value = graph_.node(id).attributes.Int(attribute); value > 1)
        name += fmt::format(" {} {}", attribute == std::string("stride_h") ? "stride" : attribute, value);
    return name;
  }

  Candidate Make(ir::NodeId id, const device::KernelSpec& spec) {
    const ir::Node& node = graph_.node(id);
    Candidate candidate{spec, backend_.Build(graph_, id, spec), {}};
    for (size_t i = 0; i < node.inputs.size(); ++i)
      candidate.bytes.inputs.push_back(backend_.Bytes(graph_.desc(node.inputs[i]), spec.input_layouts[i]));
    for (size_t i = 0; i < node.outputs.size(); ++i)
      candidate.bytes.outputs.push_back(backend_.Bytes(graph_.desc(node.outputs[i]), spec.output_layouts[i]));
    if (spec.workspace_bytes > workspace_.bytes()) workspace_ = {spec.workspace_bytes, "workspace"};
    return candidate;
  }

  std::vector<device::KernelSpec> KernelsOf(ir::NodeId id) {
    auto* more = dynamic_cast<device::Alternatives*>(&backend_);
    return more != nullptr ? more->AlternativesOf(graph_, id) : backend_.Propose(graph_, id);
  }

  // The least of a few runs of each kernel in ms, in turn and on the same operands: the machine's speed moves, and so
  // does that of memory from place to place.
  void FindBest(ir::NodeId id, Shape& shape) {
    constexpr int kTries = 15;
    shape.row.name = NameOf(id);
    shape.row.flops = Flops(graph_, graph_.node(id));
    std::vector<Candidate> candidates;
    for (const device::KernelSpec& spec : KernelsOf(id)) candidates.push_back(Make(id, spec));
    const auto operands = Operands(Largest(candidates));
    std::vector<double> least(candidates.size(), 1e30);
    for (int i = 0; i < kTries; ++i)
      for (size_t k = 0; k < candidates.size(); ++k) least[k] = std::min(least[k], Time(candidates[k], operands));
    // Plans take the first.
    shape.row.chosen_ms = shape.row.unreordered_ms = least[0];
    for (size_t k = 1; k < candidates.size(); ++k)
      if (LaysTensorsAs(id, candidates[k].spec, candidates[0].spec))
        shape.row.unreordered_ms = std::min(shape.row.unreordered_ms, least[k]);
    const size_t best = std::min_element(least.begin(), least.end()) - least.begin();
    shape.row.ms = least[best];
    shape.row.kernel = candidates[best].spec.name;
    shape.best = std::move(candidates[best]);
  }

  // Whether both take and make activations and gradients in the same layouts. Weights may lie otherwise: they are few.
  bool LaysTensorsAs(ir::NodeId id, const device::KernelSpec& a, const device::KernelSpec& b) const {
    if (graph_.node(id).kind == OpKind::kConv2dBwdWeights) return a.input_layouts == b.input_layouts;
    return a.input_layouts[0] == b.input_layouts[0] && a.output_layouts == b.output_layouts;
  }

  // Of operands that take any of these.
  static OperandBytes Largest(const std::vector<Candidate>& candidates) {
    OperandBytes largest = candidates.front().bytes;
    for (const Candidate& candidate : candidates) {
      for (size_t i = 0; i < largest.inputs.size(); ++i)
        largest.inputs[i] = std::max(largest.inputs[i], candidate.bytes.inputs[i]);
      for (size_t i = 0; i < largest.outputs.size(); ++i)
        largest.outputs[i] = std::max(largest.outputs[i], candidate.bytes.outputs[i]);
    }
    return largest;
  }

  double Time(const Candidate& candidate, const Places& places) {
    const Clock::time_point start = Clock::now();
    candidate.kernel->Launch(places.inputs, places.outputs, workspace_.data());
    return MillisecondsSince(start);
  }

  Places Operands(const OperandBytes& bytes) {
    Places places;
    for (size_t size : bytes.inputs) places.inputs.push_back(src_->Take(size));
    for (size_t size : bytes.outputs) places.outputs.push_back(dst_->Take(size));
    return places;
  }

  double RunAll() {
    double ms = 0;
    for (ir::NodeId id : nodes_) {
      const Candidate& best = shapes_.at(KeyOf(id)).best;
      ms += Time(best, Operands(best.bytes));
    }
    return ms;
  }

  const ir::Graph& graph_;
  device::Backend& backend_;
  std::vector<ir::NodeId> nodes_;  // the convolutions
  std::map<std::string, Shape> shapes_;
  std::unique_ptr<Ring> src_, dst_;  // what is read stays as it is, so that no value grows from pass to pass
  plan::AlignedBuffer workspace_;
};

}  // namespace

ConvolutionFloor MeasureConvolutionFloor(const ir::Graph& graph, device::Backend& backend) {
  return Floor(graph, backend).Measure();
}

}  // namespace pdarts::bench
