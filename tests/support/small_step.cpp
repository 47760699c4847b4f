#include "support/small_step.h"

#include "base/hash.h"
#include "base/philox.h"

namespace pdarts::test {
namespace {

using ir::SlotRole;
using ir::ValueId;
using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;

class Builder {
 public:
  Builder(int64_t batch, bool training, DType dtype) : training_(training), dtype_(dtype) {
    images_ = graph_.Input("images", {dtype, Shape{batch, 3, 6, 6}});
    labels_ = graph_.Input("labels", {DType::kI32, Shape{batch}});
  }

  ir::Graph Run() {
    ValueId x = Conv("stem", images_, 4, 3, 1);
    x = Norm("stem_bn", x);
    const ValueId entry = ops::Relu(graph_, x);
    const ValueId table = ops::Softmax(graph_, Parameter("alphas", Shape{2, 3}, SlotRole::kAlpha));
    const ValueId zeros = ops::Zeros(graph_, graph_.desc(entry));
    const ValueId first =
        ops::WeightedSum(graph_, {zeros, Norm("c0_bn", Conv("c0", entry, 4, 1, 0)), x}, table, {0, 1, 2});
    const ValueId pool = ops::AvgPool(graph_, x, {3, 1, 1});
    const ValueId second = ops::WeightedSum(graph_, {zeros, pool}, table, {3, 4});
    x = ops::AddN(graph_, {first, second});
    x = ops::GlobalAvgPool(graph_, ops::Concat(graph_, {x, entry}));
    const ValueId weights = Parameter("classifier.weight", Shape{5, 8}), bias = Parameter("classifier.bias", Shape{5});
    const ValueId logits = ops::Linear(graph_, x, weights, bias);
    const ValueId loss = ops::CrossEntropy(graph_, logits, labels_, 0.1);
    graph_.Output("loss", loss);
    graph_.Output("correct", ops::CountCorrect(graph_, logits, labels_));
    if (training_) Update(loss);
    return std::move(graph_);
  }

 private:
  ValueId Slot(const std::string& name, Shape shape, SlotRole role) {
    return graph_.ReadSlot(graph_.AddSlot({name, role, {dtype_, shape}, "zeros"}));
  }

  ValueId Parameter(const std::string& name, Shape shape, SlotRole role = SlotRole::kParameter) {
    const ValueId value = Slot(name, shape, role);
    if (role == SlotRole::kParameter) names_.push_back(name), parameters_.push_back(value);
    return value;
  }

  ValueId Conv(const std::string& name, ValueId src, int64_t channels, int64_t kernel, int64_t pad) {
    const ir::Graph::Scope scope(graph_, name);
    const ValueId weights = Parameter(name + ".weight", Shape{channels, graph_.shape(src).c(), kernel, kernel});
    return ops::Conv2d(graph_, src, weights, {.pad_h = pad, .pad_w = pad});
  }

  ValueId Norm(const std::string& name, ValueId src) {
    const ir::Graph::Scope scope(graph_, name);
    const Shape shape{graph_.shape(src).c()};
    const ValueId mean = Slot(name + ".running_mean", shape, SlotRole::kStatistic);
    const ValueId variance = Slot(name + ".running_var", shape, SlotRole::kStatistic);
    if (!training_) {
      const auto running = ops::Widen(graph_, {mean, variance});
      return ops::BatchNormApply(graph_, src, running[0], running[1], ir::kNoValue, ir::kNoValue, 1e-5);
    }
    const auto norm = ops::BatchNorm(graph_, src, ir::kNoValue, ir::kNoValue, 1e-5);
    statistics_.insert(statistics_.end(), {mean, variance, norm.mean, norm.variance});
    counts_.push_back(graph_.shape(src).n() * graph_.shape(src).h() * graph_.shape(src).w());
    statistic_names_.insert(statistic_names_.end(), {name + ".running_mean", name + ".running_var"});
    return norm.dst;
  }

  void Update(ValueId loss) {
    const auto updated = ops::UpdateStatistics(graph_, statistics_, {0.1, counts_});
    for (size_t i = 0; i < updated.size(); ++i) graph_.Assign(*graph_.FindSlot(statistic_names_[i]), updated[i]);

    const std::vector<ValueId> diffs = ops::Differentiate(graph_, loss, parameters_);
    std::vector<ValueId> momenta;
    for (size_t i = 0; i < names_.size(); ++i)
      momenta.push_back(Slot("momentum." + names_[i], graph_.shape(parameters_[i]), SlotRole::kOptimizer));
    const ValueId rate = graph_.Input("rate", {DType::kF64, Shape{1}});
    const ValueId squares = ops::SumSquares(graph_, diffs);
    const auto outputs = ops::Sgd(graph_, {parameters_, diffs, momenta, squares, rate}, {});
    for (size_t i = 0; i < names_.size(); ++i) {
      graph_.Assign(*graph_.FindSlot(names_[i]), outputs[i]);
      graph_.Assign(*graph_.FindSlot("momentum." + names_[i]), outputs[names_.size() + i]);
    }
  }

  ir::Graph graph_;
  bool training_;
  DType dtype_;
  ValueId images_, labels_;
  std::vector<std::string> names_, statistic_names_;
  std::vector<ValueId> parameters_, statistics_;
  std::vector<int64_t> counts_;
};

void Fill(const plan::TensorView& view, const std::string& name) {
  base::RandomSequence random(base::Fnv1a(name), base::RandomStream::kTest);
  std::vector<double> values(static_cast<size_t>(view.desc.shape.elements()));
  for (double& value : values) value = view.desc.dtype == DType::kI32 ? random.Below(5) : random.Uniform() - 0.4;
  if (name.ends_with("running_var") || name.starts_with("adam.v."))
    for (double& value : values) value += 1;
  if (name == "rate") values = {0.05};
  if (name == "drop_path_rate") values = {0.3};
  if (name == "adam_count") values = {1};
  view.Set(tensor::HostTensor::FromDoubles(view.desc, values));
}

}  // namespace

ir::Graph SmallStep(int64_t batch, bool training, DType dtype) { return Builder(batch, training, dtype).Run(); }

void FillSlots(plan::ModelStorage& storage) {
  for (const ir::Slot& slot : storage.slots()) Fill(storage.Slot(slot.name), slot.name);
}

void FillInputs(plan::ModelStorage& storage, const plan::Plan& plan) {
  for (const plan::InputInfo& input : plan.inputs()) Fill(storage.Input(plan, input.name), input.name);
}

std::vector<std::vector<std::byte>> SlotBytes(plan::ModelStorage& storage) {
  std::vector<std::vector<std::byte>> bytes;
  for (const ir::Slot& slot : storage.slots()) {
    const plan::TensorView view = storage.Slot(slot.name);
    bytes.emplace_back(view.data, view.data + view.bytes());
  }
  return bytes;
}

}  // namespace pdarts::test
