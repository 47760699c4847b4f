// cross_entropy with label smoothing s over K classes, mean over the batch: -sum_k target_k log softmax(logits)_k,
// target = (1 - s) on the label + s / K on every class. count_correct: how many labels are among the 1 and the 5
// largest logits (ties: lower class first).
#include <cmath>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;

struct SmoothingAttributes {
  double smoothing = 0;
  template <class F>
  void Visit(F&& f) {
    f("smoothing", smoothing);
  }
};

std::vector<TensorDesc> Infer(const ir::Attributes&, std::span<const TensorDesc> in) {
  PD_CHECK(in[0].shape.rank() == 2 && in[1].dtype == DType::kI32 && in[1].shape == Shape{in[0].shape[0]});
  return {{in[0].dtype, Shape{1}}};
}

std::vector<TensorDesc> InferCount(const ir::Attributes&, std::span<const TensorDesc>) {
  return {{DType::kF64, Shape{2}}};
}

template <class T>
double LogSumExp(const T* row, int64_t classes) {
  double largest = row[0], sum = 0;
  for (int64_t k = 1; k < classes; ++k) largest = std::max<double>(largest, row[k]);
  for (int64_t k = 0; k < classes; ++k) sum += std::exp(row[k] - largest);
  return largest + std::log(sum);
}

void Reference(const ReferenceContext& c) {
  const double smoothing = ir::Unpack<SmoothingAttributes>(c.node.attributes).smoothing;
  const int64_t rows = c.in_shape(0)[0], classes = c.in_shape(0)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    double loss = 0;
    for (int64_t n = 0; n < rows; ++n) {
      const T* row = c.in<T>(0) + n * classes;
      const double log_sum = LogSumExp(row, classes);
      double mean = 0;
      for (int64_t k = 0; k < classes; ++k) mean += (log_sum - row[k]) / static_cast<double>(classes);
      loss += (1 - smoothing) * (log_sum - row[c.in<int32_t>(1)[n]]) + smoothing * mean;
    }
    c.out<T>(0)[0] = static_cast<T>(loss / static_cast<double>(rows));
  });
}

// Inputs: logits, labels, diff of the loss. diff_logits = diff * (softmax - target) / N.
void ReferenceBwd(const ReferenceContext& c) {
  const double smoothing = ir::Unpack<SmoothingAttributes>(c.node.attributes).smoothing;
  const int64_t rows = c.in_shape(0)[0], classes = c.in_shape(0)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const double factor = static_cast<double>(c.in<T>(2)[0]) / static_cast<double>(rows);
    for (int64_t n = 0; n < rows; ++n) {
      const T* row = c.in<T>(0) + n * classes;
      const double log_sum = LogSumExp(row, classes);
      for (int64_t k = 0; k < classes; ++k) {
        const double target = smoothing / static_cast<double>(classes) + (k == c.in<int32_t>(1)[n] ? 1 - smoothing : 0);
        c.out<T>(0)[n * classes + k] = static_cast<T>(factor * (std::exp(row[k] - log_sum) - target));
      }
    }
  });
}

void ReferenceCount(const ReferenceContext& c) {
  const int64_t rows = c.in_shape(0)[0], classes = c.in_shape(0)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    double top1 = 0, top5 = 0;
    for (int64_t n = 0; n < rows; ++n) {
      const T* row = c.in<T>(0) + n * classes;
      const int64_t label = c.in<int32_t>(1)[n];
      int64_t before = 0;
      // Written so that a NaN in the label's logit counts as wrong.
      for (int64_t k = 0; k < classes; ++k)
        if (k != label && !(row[k] < row[label]) && !(row[k] == row[label] && k > label)) ++before;
      top1 += before < 1;
      top5 += before < 5;
    }
    c.out<double>(0)[0] = top1;
    c.out<double>(0)[1] = top5;
  });
}

void Gradient(GradientContext& c) {
  const ir::Node node = c.node();
  c.Contribute(0, Emit(c.graph(), ir::OpKind::kCrossEntropyBwd, node.attributes,
                       {node.inputs[0], node.inputs[1], c.diff(0)})[0]);
}

}  // namespace

const OpDefinition kCrossEntropyDefinition{Infer, Gradient, Reference};
const OpDefinition kCrossEntropyBwdDefinition{SameAsFirst, nullptr, ReferenceBwd};
const OpDefinition kCountCorrectDefinition{InferCount, nullptr, ReferenceCount};

ValueId CrossEntropy(Graph& graph, ValueId logits, ValueId labels, double smoothing) {
  return Emit(graph, ir::OpKind::kCrossEntropy, ir::Pack(SmoothingAttributes{smoothing}), {logits, labels})[0];
}
ValueId CountCorrect(Graph& graph, ValueId logits, ValueId labels) {
  return Emit(graph, ir::OpKind::kCountCorrect, {}, {logits, labels})[0];
}

}  // namespace pdarts::ops
