// The loss, the measures and the optimizers: small tensors, so plain loops over the kernels.
#include <cmath>
#include <cstring>

#include "backends/cpu/lowering.h"
#include "kernels/elementwise.h"
#include "kernels/update.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

Lowered LowerCrossEntropy(const NodeView& view) {
  const auto smoothing = static_cast<float>(std::get<double>(view.node.attributes.Get("smoothing")));
  const int64_t rows = view.in(0)[0], classes = view.in(0)[1];
  if (view.node.kind == ir::OpKind::kCrossEntropyBwd)
    return OwnKernel(view, "own:cross_entropy_bwd", 0, [=](auto in, auto out, void*) {
      kernels::SoftmaxCrossEntropyBackward({In<float>(in, 0), In<int32_t>(in, 1), rows, classes, smoothing},
                                           In<float>(in, 2)[0], Out<float>(out, 0));
    });
  return OwnKernel(
      view, "own:cross_entropy", static_cast<size_t>(rows) * sizeof(float), [=](auto in, auto out, void* workspace) {
        Out<float>(out, 0)[0] = kernels::SoftmaxCrossEntropy(
            {In<float>(in, 0), In<int32_t>(in, 1), rows, classes, smoothing}, static_cast<float*>(workspace));
      });
}

// Written so that a NaN in the label's logit counts as wrong, as in the reference.
Lowered LowerCountCorrect(const NodeView& view) {
  const int64_t rows = view.in(0)[0], classes = view.in(0)[1];
  return OwnKernel(view, "own:count_correct", 0, [rows, classes](auto in, auto out, void*) {
    double top1 = 0, top5 = 0;
    for (int64_t n = 0; n < rows; ++n) {
      const float* row = In<float>(in, 0) + n * classes;
      const int64_t label = In<int32_t>(in, 1)[n];
      int64_t before = 0;
      for (int64_t k = 0; k < classes; ++k)
        before += k != label && !(row[k] < row[label]) && !(row[k] == row[label] && k > label);
      top1 += before < 1, top5 += before < 5;
    }
    Out<double>(out, 0)[0] = top1, Out<double>(out, 0)[1] = top5;
  });
}

std::vector<int64_t> Sizes(const NodeView& view, int first, int count) {
  std::vector<int64_t> sizes;
  for (int i = first; i < first + count; ++i) sizes.push_back(view.in(i).elements());
  return sizes;
}

Lowered LowerSumSquares(const NodeView& view) {
  const std::vector<int64_t> sizes = Sizes(view, 0, view.inputs());
  int64_t scratch = 0;
  for (int64_t size : sizes) scratch = std::max(scratch, kernels::SumOfSquaresScratch(size));
  return PlainKernel(view, "own:sum_squares", static_cast<size_t>(scratch) * sizeof(double),
                     [sizes](auto in, auto out, void* workspace) {
                       double sum = 0;
                       for (size_t i = 0; i < sizes.size(); ++i)
                         sum += kernels::SumOfSquares(In<float>(in, i), sizes[i], static_cast<double*>(workspace));
                       Out<double>(out, 0)[0] = sum;
                     });
}

double ClipFactor(double sum_squares, double clip) { return std::min(1.0, clip / (std::sqrt(sum_squares) + 1e-6)); }

// The kernels update in place; where the plan had to keep the old values they are copied first.
void BringOver(const void* from, void* to, int64_t count) {
  if (from != to) std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

Lowered LowerSgd(const NodeView& view) {
  const auto a = ir::Unpack<ops::SgdAttributes>(view.node.attributes);
  const size_t k = view.node.outputs.size() / 2;
  const std::vector<int64_t> sizes = Sizes(view, 0, static_cast<int>(k));
  Lowered lowered = PlainKernel(view, "own:sgd", 0, [=](auto in, auto out, void*) {
    const auto clip = static_cast<float>(ClipFactor(In<double>(in, 3 * k)[0], a.clip));
    const auto rate = static_cast<float>(In<double>(in, 3 * k + 1)[0]);
    for (size_t t = 0; t < k; ++t) {
      BringOver(in[t], out[t], sizes[t]);
      BringOver(in[2 * k + t], out[k + t], sizes[t]);
      kernels::SgdUpdate({Out<float>(out, t), Out<float>(out, k + t), In<float>(in, k + t), sizes[t], clip, rate,
                          static_cast<float>(a.momentum), static_cast<float>(a.weight_decay)});
    }
  });
  for (int i = 0; i < static_cast<int>(2 * k); ++i)
    lowered.spec.in_place.emplace_back(i < static_cast<int>(k) ? i : i + static_cast<int>(k), i);
  return lowered;
}

Lowered LowerAdam(const NodeView& view) {
  const auto a = ir::Unpack<ops::AdamAttributes>(view.node.attributes);
  const size_t k = view.node.outputs.size() / 3;
  const std::vector<int64_t> sizes = Sizes(view, 0, static_cast<int>(k));
  Lowered lowered = PlainKernel(view, "own:adam", 0, [=](auto in, auto out, void*) {
    kernels::AdamArgs args{};
    args.clip = ClipFactor(In<double>(in, 4 * k)[0], a.clip);
    args.learning_rate = In<double>(in, 4 * k + 1)[0];
    args.step = static_cast<int64_t>(In<double>(in, 4 * k + 2)[0]);
    args.beta1 = a.beta1, args.beta2 = a.beta2, args.epsilon = a.epsilon, args.weight_decay = a.weight_decay;
    for (size_t t = 0; t < k; ++t) {
      for (size_t part : {0, 1, 2}) BringOver(in[part == 0 ? t : (part + 1) * k + t], out[part * k + t], sizes[t]);
      args.params = Out<float>(out, t), args.first_moment = Out<float>(out, k + t),
      args.second_moment = Out<float>(out, 2 * k + t);
      args.grads = In<float>(in, k + t), args.count = sizes[t];
      kernels::AdamUpdate(args);
    }
  });
  for (int i = 0; i < static_cast<int>(3 * k); ++i)
    lowered.spec.in_place.emplace_back(i < static_cast<int>(k) ? i : i + static_cast<int>(k), i);
  return lowered;
}

}  // namespace

Lowered LowerLoss(const NodeView& view) {
  switch (view.node.kind) {
    case ir::OpKind::kCountCorrect:
      return LowerCountCorrect(view);
    case ir::OpKind::kSumSquares:
      return LowerSumSquares(view);
    case ir::OpKind::kSgd:
      return LowerSgd(view);
    case ir::OpKind::kAdam:
      return LowerAdam(view);
    default:
      return LowerCrossEntropy(view);
  }
}

}  // namespace pdarts::backends::cpu
