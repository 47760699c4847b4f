// The functions that build a graph, one per op; gradients use the same. Activations are [N, C, H, W], weights [O,
// I/groups, KH, KW], scalars f64 [1]. Semantics are those of the published PyTorch implementation unless said
// otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace pdarts::ops {

using ir::Graph;
using ir::ValueId;

// ---- convolution.cpp
struct ConvAttributes {
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation = 1, groups = 1;
  template <class F>
  void Visit(F&& f) {
    f("stride_h", stride_h), f("stride_w", stride_w), f("pad_h", pad_h), f("pad_w", pad_w), f("dilation", dilation),
        f("groups", groups);
  }
};
ValueId Conv2d(Graph& graph, ValueId src, ValueId weights, const ConvAttributes& attributes);
// The backward ops take the same attributes plus the shape of what they produce.
struct ConvBwdDataAttributes : ConvAttributes {
  int64_t src_h = 0, src_w = 0;
  template <class F>
  void Visit(F&& f) {
    ConvAttributes::Visit(f), f("src_h", src_h), f("src_w", src_w);
  }
};
struct ConvBwdWeightsAttributes : ConvAttributes {
  int64_t kernel_h = 0, kernel_w = 0;
  template <class F>
  void Visit(F&& f) {
    ConvAttributes::Visit(f), f("kernel_h", kernel_h), f("kernel_w", kernel_w);
  }
};
ValueId Conv2dBwdData(Graph& graph, ValueId diff_dst, ValueId weights,
                      const ConvBwdDataAttributes& attributes);  // diff_src
ValueId Conv2dBwdWeights(Graph& graph, ValueId src, ValueId diff_dst,
                         const ConvBwdWeightsAttributes& attributes);  // diff_weights

// ---- linear.cpp: dst[n][o] = sum_k src[n][k] weights[o][k] + bias[o]
ValueId Linear(Graph& graph, ValueId src, ValueId weights, ValueId bias);

// ---- batch_norm.cpp: over N, H, W of each channel; mean and biased variance are f64 [C].
struct BatchNormAttributes {
  double epsilon = 1e-5;
  template <class F>
  void Visit(F&& f) {
    f("epsilon", epsilon);
  }
};
// Of batch_norm_bwd_data. index >= 0: diff_dst, diff_gamma and diff_beta are all multiplied by table.flat[index], the
// table being the last input; -1: there is no table.
struct BatchNormBwdDataAttributes : BatchNormAttributes {
  int64_t index = -1;
  template <class F>
  void Visit(F&& f) {
    BatchNormAttributes::Visit(f), f("index", index);
  }
};
struct BatchNormOutputs {
  ValueId dst, mean, variance;
};
// Training form: statistics, then apply; gamma and beta both given or both kNoValue. Equal for every edge that reads
// the same src without affine, so shared.
BatchNormOutputs BatchNorm(Graph& graph, ValueId src, ValueId gamma, ValueId beta, double epsilon);
// With given statistics, both f64: of a batch, or widened running ones.
ValueId BatchNormApply(Graph& graph, ValueId src, ValueId mean, ValueId variance, ValueId gamma, ValueId beta,
                       double epsilon);
// Values of one type in f64, which they may be already.
std::vector<ValueId> Widen(Graph& graph, std::vector<ValueId> values);
// kUpdateStatistics: one node for all batch norms of a network. Inputs per norm: running mean, running variance, batch
// mean, biased batch variance; outputs per norm: new running mean and variance. count[i] is N*H*W of norm i (for the
// unbiased variance).
struct UpdateStatisticsAttributes {
  double momentum = 0.1;
  std::vector<int64_t> counts;
  template <class F>
  void Visit(F&& f) {
    f("momentum", momentum), f("counts", counts);
  }
};
std::vector<ValueId> UpdateStatistics(Graph& graph, std::vector<ValueId> inputs,
                                      const UpdateStatisticsAttributes& attributes);

// ---- separable.cpp: what passes/fuse_separable.cpp puts in place of several ops. Branches are separable convolutions
// with square windows that read the same src, or 1x1 convolutions alone; vectors have an entry for each of them. Flags
// are 0 or 1.
struct SeparableAttributes {
  std::vector<int64_t> stride, pad, dilation;    // of the depthwise convolution; stride 0: the branch has none
  std::vector<int64_t> groups;                   // of the 1x1 convolution
  int64_t normalized = 0, affine = 0, relu = 0;  // of src: batch_norm_apply, with gamma and beta; then relu
  double epsilon = 1e-5;                         // of all normalisations
  int64_t sources = 1;                           // src is the concat of so many; not normalised if more than one
  template <class F>
  void Visit(F&& f) {
    f("stride", stride), f("pad", pad), f("dilation", dilation), f("groups", groups), f("sources", sources),
        f("normalized", normalized), f("affine", affine), f("relu", relu), f("epsilon", epsilon);
  }
  size_t branches() const { return stride.size(); }
  size_t source_inputs() const { return static_cast<size_t>(sources + 2 * normalized + 2 * affine); }
  bool depthwise(size_t branch) const { return stride[branch] > 0; }
  size_t weights_of(size_t branch) const { return depthwise(branch) ? 2 : 1; }
  size_t branch_inputs(size_t branch) const { return weights_of(branch); }
};
struct SeparableBwdAttributes : SeparableAttributes {
  int64_t mask = 0;                        // diff_src is with respect to the ReLU's input, not its output
  int64_t weights = 0;                     // the weights' gradients are wanted
  std::vector<int64_t> dst_affine, index;  // the normalisation of dst has a gamma; BatchNormBwdDataAttributes::index
  std::vector<int64_t> paths = {};         // scale_samples makes diff_dst of what is given; empty: of none
  template <class F>
  void Visit(F&& f) {
    SeparableAttributes::Visit(f), f("mask", mask), f("weights", weights), f("dst_affine", dst_affine),
        f("index", index), f("paths", paths);
  }
  bool path(size_t branch) const { return !paths.empty() && paths[branch] != 0; }
  size_t diff_dst_of(size_t branch) const { return weights_of(branch) + 3; }  // among its inputs
  size_t branch_inputs(size_t branch) const {
    return weights_of(branch) + 6 + static_cast<size_t>(dst_affine[branch] != 0) +
           static_cast<size_t>(index[branch] >= 0) + static_cast<size_t>(path(branch));
  }
  size_t source_outputs() const { return static_cast<size_t>(sources + 2 * normalized); }
};
// Inputs: the sources [, mean, variance [, gamma, beta]], then for each branch [depthwise weights,] 1x1 weights.
// Outputs: for each branch dst, its mean and variance.
std::vector<ValueId> Separable(Graph& graph, std::vector<ValueId> inputs, const SeparableAttributes& attributes);
// Inputs: the sources [, mean, variance [, gamma, beta]], then for each branch [depthwise weights,] 1x1 weights, dst,
// its mean and variance, diff_dst (of the normalised dst), diff_gamma, diff_beta [, gamma] [, table] [, factors].
// Outputs: diff_src (of the normalised src, the sum over the branches) in the sources' parts [, diff_gamma, diff_beta
// of src's normalisation], then for each branch [, its weights' gradients].
std::vector<ValueId> SeparableBwd(Graph& graph, std::vector<ValueId> inputs, const SeparableBwdAttributes& attributes);

// ---- relu.cpp. The backward reads dst: diff where dst > 0.
ValueId Relu(Graph& graph, ValueId src);

// ---- pool.cpp. Max: the first maximum in row-major order gets the gradient; outputs dst and a workspace of winning
// taps (u8). Average: divides by the number of pixels inside the image (padding not counted).
struct PoolAttributes {
  int64_t kernel = 3, stride = 1, pad = 1;
  template <class F>
  void Visit(F&& f) {
    f("kernel", kernel), f("stride", stride), f("pad", pad);
  }
};
struct PoolBwdAttributes : PoolAttributes {
  int64_t src_h = 0, src_w = 0;
  template <class F>
  void Visit(F&& f) {
    PoolAttributes::Visit(f), f("src_h", src_h), f("src_w", src_w);
  }
};
ValueId MaxPool(Graph& graph, ValueId src, const PoolAttributes& attributes);
ValueId AvgPool(Graph& graph, ValueId src, const PoolAttributes& attributes);
ValueId GlobalAvgPool(Graph& graph, ValueId src);  // [N, C, H, W] -> [N, C]

// ---- pool_norm.cpp: what passes/fuse_pool_norms.cpp puts in place of several ops. Branches are pools of one src with
// the same window, each followed by a batch norm without affine parameters. max has an entry for each: 1 is a max pool,
// 0 an average pool.
struct PoolNormAttributes : PoolAttributes {
  std::vector<int64_t> max;
  template <class F>
  void Visit(F&& f) {
    PoolAttributes::Visit(f), f("max", max);
  }
  size_t branches() const { return max.size(); }
};
struct PoolNormBwdAttributes : PoolBwdAttributes {
  std::vector<int64_t> max;
  // [branches + 1][diffs]: the weight of a diff in the table, -1 where it is none of a branch's; at last of those that
  // reach src itself, by skip connections.
  std::vector<int64_t> indices;
  int64_t add = 0;        // 1: there is a further term of diff_src
  double epsilon = 1e-5;  // of all normalisations
  // Empty, or [diffs]: the op id of the dropout on a diff's way to src itself, -1 where there is none.
  std::vector<int64_t> drops = {};
  int64_t sums = 0;  // 1: src is the normalised dst of a batch norm, whose batch_norm_bwd_sums are wanted too
  template <class F>
  void Visit(F&& f) {
    PoolBwdAttributes::Visit(f), f("max", max), f("indices", indices), f("add", add), f("epsilon", epsilon),
        f("drops", drops), f("sums", sums);
  }
  size_t branches() const { return max.size(); }
  size_t diffs() const { return indices.size() / (branches() + 1); }
};
// Input: src. Outputs: for each branch dst (not normalised), its mean and variance [, the max pool's workspace].
std::vector<ValueId> PoolNorm(Graph& graph, ValueId src, const PoolNormAttributes& attributes);
// Inputs: the table [, the further term], the diffs, then for each branch dst, its mean and variance, diff_gamma,
// diff_beta [, workspace] [; rate and rng of the drops] [; src of src's batch norm, its mean and variance]. The
// gradient of a branch's normalised dst is the sum of its weighted diffs; diff_gamma and diff_beta are what
// batch_norm_bwd_sums finds for that. Outputs: diff_src [, diff_gamma and diff_beta of src's batch norm].
std::vector<ValueId> PoolNormBwd(Graph& graph, std::vector<ValueId> inputs, const PoolNormBwdAttributes& attributes);

// ---- shape.cpp
ValueId Concat(Graph& graph, const std::vector<ValueId>& srcs);                     // along C
ValueId Slice(Graph& graph, ValueId src, int64_t first_channel, int64_t channels);  // along C
// Pixels (offset + 2i, offset + 2j): what a stride-2 1x1 convolution reads, at offset 1 on the map shifted by one
// pixel.
ValueId Subsample(Graph& graph, ValueId src, int64_t offset);
struct SubsampleBwdAttributes {
  int64_t offset = 0, src_h = 0, src_w = 0;
  template <class F>
  void Visit(F&& f) {
    f("offset", offset), f("src_h", src_h), f("src_w", src_w);
  }
};
// Zeros but at the pixels that were taken; plus `add`, a further term of the gradient, unless it is kNoValue.
ValueId SubsampleBwd(Graph& graph, ValueId diff_dst, ValueId add, const SubsampleBwdAttributes& attributes);
// Weights one after another along their first dimension, as those of a grouped convolution's groups.
ValueId Stack(Graph& graph, const std::vector<ValueId>& weights);
ValueId Zeros(Graph& graph, const tensor::TensorDesc& desc);

// ---- dropout.cpp. rate: f64 [1]; rng: i64 [2] = {seed, step}. Kept elements are divided by 1 - rate; rate 0 copies.
// The mask is a function of (seed, step, op id, element), the element in N, H, W, C order. Passes make it multiply by a
// weight as well, as scale_by_weight does.
struct DropoutAttributes {
  int64_t op_id = 0;
  int64_t index = -1;  // of the weight in the table that is the last input then; -1: there is none
  template <class F>
  void Visit(F&& f) {
    f("op_id", op_id), f("index", index);
  }
};
ValueId Dropout(Graph& graph, ValueId src, ValueId rate, ValueId rng, const DropoutAttributes& attributes);

// ---- drop_path.cpp. What each sample of a dropped path is multiplied by, f64 [samples]: 0 where it is dropped, else
// 1 / (1 - rate); rate and rng as of dropout, the draw a function of (seed, step, op id, sample).
struct DropPathAttributes {
  int64_t op_id = 0, samples = 0;
  template <class F>
  void Visit(F&& f) {
    f("op_id", op_id), f("samples", samples);
  }
};
ValueId DropPath(Graph& graph, ValueId rate, ValueId rng, const DropPathAttributes& attributes);
// src [N, C, H, W], each sample times its factor; a sample of factor 0 is 0. factors: f64 [N].
ValueId ScaleSamples(Graph& graph, ValueId src, ValueId factors);

// ---- add.cpp
ValueId AddN(Graph& graph, const std::vector<ValueId>& srcs);  // one src: itself
ValueId Scale(Graph& graph, ValueId src, double factor);       // factor * src

// ---- mixed.cpp: the mixed operation of DARTS (paper, formula 1)
ValueId Softmax(Graph& graph, ValueId src);  // of each row of [rows, columns]
// sum_i weights.flat[indices[i]] * srcs[i]; several edges and operations of a node in one sum.
ValueId WeightedSum(Graph& graph, const std::vector<ValueId>& srcs, ValueId weights,
                    const std::vector<int64_t>& indices);

// ---- normalized_sum.cpp: weighted sums of batch norms without affine parameters; only the passes build them
struct SumTerm {
  ValueId src;                                           // [N, C, H, W]
  ValueId mean = ir::kNoValue, variance = ir::kNoValue;  // f64 [C], of batch_norm_statistics; kNoValue: src as it is
};
// `normalized` is 1 where a term has statistics. drops: empty, or each term's op id as DropoutAttributes have it, -1
// where it is not dropped; rate and rng of all of these are the last two inputs.
struct NormalizedSumAttributes {
  std::vector<int64_t> indices, normalized;
  double epsilon = 1e-5;
  std::vector<int64_t> drops = {};
  template <class F>
  void Visit(F&& f) {
    f("indices", indices), f("normalized", normalized), f("epsilon", epsilon), f("drops", drops);
  }
};
// rows and columns are those of the table if its gradient is wanted, else 0.
struct NormalizedSumBwdAttributes : NormalizedSumAttributes {
  int64_t rows = 0, columns = 0;
  template <class F>
  void Visit(F&& f) {
    NormalizedSumAttributes::Visit(f), f("rows", rows), f("columns", columns);
  }
};
// sum_k table.flat[indices[k]] * (terms[k] normalised by its statistics, or as it is).
ValueId NormalizedSum(Graph& graph, ValueId table, const std::vector<SumTerm>& terms,
                      const std::vector<int64_t>& indices, double epsilon);
struct NormalizedSumDiffs {
  std::vector<ValueId> gammas;  // [C] for each term, kNoValue for those without statistics
  ValueId beta;                 // [C], the same for all terms
  ValueId table;                // kNoValue unless asked for
};
// What batch_norm_bwd_sums would find for the terms if each got diff_dst, not multiplied by its weight; and the
// gradient of the table [rows, columns], where both are not 0.
NormalizedSumDiffs NormalizedSumBwd(Graph& graph, ValueId diff_dst, const std::vector<SumTerm>& terms,
                                    const std::vector<int64_t>& indices, double epsilon, int64_t rows = 0,
                                    int64_t columns = 0);

// ---- path_sum.cpp: what passes/sum_paths.cpp puts in place of add_n and what is before it
struct PathTerm {
  ValueId src;                                           // [N, C, H, W]
  ValueId mean = ir::kNoValue, variance = ir::kNoValue;  // f64 [C]; kNoValue: src as it is
  ValueId gamma = ir::kNoValue, beta = ir::kNoValue;
  ValueId factors = ir::kNoValue;  // of scale_samples; kNoValue: there is none
};
// For each term, 0 or 1.
struct PathSumAttributes {
  std::vector<int64_t> normalized, affine, paths;
  double epsilon = 1e-5;
  template <class F>
  void Visit(F&& f) {
    f("normalized", normalized), f("affine", affine), f("paths", paths), f("epsilon", epsilon);
  }
};
// The sum of [scale_samples of] [batch_norm_apply of] the terms' sources.
ValueId PathSum(Graph& graph, const std::vector<PathTerm>& terms, double epsilon);
struct PathSumDiffs {
  std::vector<ValueId> gammas, betas;  // [C], for each term
};
// What batch_norm_bwd_sums finds for the terms, all of which are normalised, if each gets [scale_samples of] diff_dst.
// gamma and beta are not read.
PathSumDiffs PathSumBwd(Graph& graph, ValueId diff_dst, const std::vector<PathTerm>& terms, double epsilon);

// ---- loss.cpp
// Mean over the batch of the cross entropy with label smoothing s: target (1-s) on the label plus s/classes on every
// class. logits [N, K], labels i32 [N]; result [1] in the logits' dtype.
ValueId CrossEntropy(Graph& graph, ValueId logits, ValueId labels, double smoothing);
ValueId CountCorrect(Graph& graph, ValueId logits,
                     ValueId labels);  // f64 [2]: how many are right at top-1 and at top-5

// ---- optimizer.cpp. One node updates all tensors; outputs replace the inputs of the same place.
ValueId SumSquares(Graph& graph, const std::vector<ValueId>& srcs);  // f64 [1], over all elements of all tensors
// PyTorch's SGD after clip_grad_norm_: g = diff * min(1, clip / (norm + 1e-6)) + weight_decay * p; m = momentum * m +
// g; p -= rate * m.
struct SgdAttributes {
  double momentum = 0.9, weight_decay = 3e-4, clip = 5;
  template <class F>
  void Visit(F&& f) {
    f("momentum", momentum), f("weight_decay", weight_decay), f("clip", clip);
  }
};
struct SgdInputs {
  std::vector<ValueId> parameters, diffs, momenta;
  ValueId sum_squares, rate;  // f64 [1] each
};
std::vector<ValueId> Sgd(Graph& graph, const SgdInputs& inputs,
                         const SgdAttributes& attributes);  // parameters, then momenta
// PyTorch's Adam after clip_grad_norm_; count: f64 [1], 1 at the first update.
struct AdamAttributes {
  double beta1 = 0.5, beta2 = 0.999, epsilon = 1e-8, weight_decay = 1e-3, clip = 5;
  template <class F>
  void Visit(F&& f) {
    f("beta1", beta1), f("beta2", beta2), f("epsilon", epsilon), f("weight_decay", weight_decay), f("clip", clip);
  }
};
struct AdamInputs {
  std::vector<ValueId> parameters, diffs, first_moments, second_moments;
  ValueId sum_squares, rate, count;
};
std::vector<ValueId> Adam(Graph& graph, const AdamInputs& inputs,
                          const AdamAttributes& attributes);  // parameters, first, second moments

// ---- gradient.cpp
// Builds the gradients of `loss` [1] for the wanted values and only what they need. Result: one value per wanted, in
// order; kNoValue where the loss does not depend on it.
std::vector<ValueId> Differentiate(Graph& graph, ValueId loss, const std::vector<ValueId>& wanted);
// The same, starting from a given gradient of `value` instead of 1.
std::vector<ValueId> DifferentiateFrom(Graph& graph, ValueId value, ValueId diff, const std::vector<ValueId>& wanted);

}  // namespace pdarts::ops
