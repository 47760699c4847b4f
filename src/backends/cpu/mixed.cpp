#include "backends/cpu/lowering.h"
#include "kernels/elementwise.h"
#include "kernels/update.h"

namespace pdarts::backends::cpu {
namespace {

std::vector<int64_t> Indices(const NodeView& view) {
  return std::get<std::vector<int64_t>>(view.node.attributes.Get("indices"));
}

// Inputs: weights, then one src per index. The workspace holds the sources' addresses and their weights.
Lowered LowerSum(const NodeView& view) {
  const std::vector<int64_t> indices = Indices(view);
  const int64_t count = view.out(0).elements();
  const size_t bytes = indices.size() * (sizeof(void*) + sizeof(float));
  return OwnKernel(view, "own:weighted_sum", bytes, [indices, count](auto in, auto out, void* workspace) {
    auto** srcs = static_cast<const float**>(workspace);
    auto* weights = reinterpret_cast<float*>(srcs + indices.size());
    for (size_t i = 0; i < indices.size(); ++i)
      srcs[i] = In<float>(in, i + 1), weights[i] = In<float>(in, 0)[indices[i]];
    kernels::WeightedSum({srcs, weights, static_cast<int64_t>(indices.size()), Out<float>(out, 0), count});
  });
}

// Inputs: diff_dst, then one src per index; output: the table.
Lowered LowerSumBwdWeights(const NodeView& view) {
  const std::vector<int64_t> indices = Indices(view);
  const int64_t count = view.in(0).elements(), table = view.out(0).elements(),
                sources = static_cast<int64_t>(indices.size());
  const size_t scratch = static_cast<size_t>(kernels::DotsScratch(sources, count));
  const size_t bytes = indices.size() * (sizeof(void*) + sizeof(float)) + scratch * sizeof(float);
  return OwnKernel(view, "own:weighted_sum_bwd_weights", bytes, [=](auto in, auto out, void* workspace) {
    auto** srcs = static_cast<const float**>(workspace);
    auto* dots = reinterpret_cast<float*>(srcs + indices.size());
    for (size_t i = 0; i < indices.size(); ++i) srcs[i] = In<float>(in, i + 1);
    kernels::Dots({srcs, sources, In<float>(in, 0), dots, count, dots + indices.size()});
    float* weights = Out<float>(out, 0);
    for (int64_t i = 0; i < table; ++i) weights[i] = 0;
    for (size_t i = 0; i < indices.size(); ++i) weights[indices[i]] += dots[i];
  });
}

}  // namespace

Lowered LowerMixed(const NodeView& view) {
  const int64_t count = view.out(0).elements();
  switch (view.node.kind) {
    case ir::OpKind::kWeightedSum:
      return LowerSum(view);
    case ir::OpKind::kWeightedSumBwdWeights:
      return LowerSumBwdWeights(view);
    case ir::OpKind::kScaleByWeight: {
      const int64_t index = view.node.attributes.Int("index");
      Lowered lowered = OwnKernel(view, "own:scale_by_weight", 0, [=](auto in, auto out, void*) {
        kernels::Scale(In<float>(in, 0), In<float>(in, 1)[index], Out<float>(out, 0), count);
      });
      lowered.spec.in_place = {{0, 0}};
      return lowered;
    }
    case ir::OpKind::kSoftmax: {
      const int64_t rows = view.in(0)[0], columns = view.in(0)[1];
      return OwnKernel(view, "own:softmax", 0, [=](auto in, auto out, void*) {
        kernels::Softmax(In<float>(in, 0), Out<float>(out, 0), rows, columns);
      });
    }
    default: {
      const int64_t rows = view.in(0)[0], columns = view.in(0)[1];
      return OwnKernel(view, "own:softmax_bwd", 0, [=](auto in, auto out, void*) {
        kernels::SoftmaxBackward(In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), rows, columns);
      });
    }
  }
}

}  // namespace pdarts::backends::cpu
