// Separable and 1x1 convolutions that read one tensor, and what stands around them, as one op, made by passes only
// (passes/*_separable.cpp, passes/bypass_concat.cpp), so it has no gradient rule. What it means is the graph of
// the ops it replaces:
//   separable:     [concat,] [batch_norm_apply,] [relu,] then for each branch [depthwise conv2d,] 1x1 conv2d; dst and
//                  its batch_norm_statistics, which an evaluation does not read.
//   separable_bwd: for each branch, from [scale_samples of] the gradient of the normalised dst, batch_norm_bwd_data and
//                  the convolutions' gradients; add_n of the branches' diff_src, [relu_bwd] of the sum, and the
//                  batch_norm_bwd_sums of the src's normalisation, if it has one; slices of it all where src is a
//                  concat.
#include "ops/body.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::TensorDesc;

constexpr auto kNone = ir::kNoValue;

// src [, mean, variance [, gamma, beta]], and what the depthwise convolutions read.
struct Source {
  Source(Graph& body, const SeparableAttributes& a, BodyInputs& in)
      : src(NextSource(body, a, in)),
        mean(in.Next(a.normalized != 0)),
        variance(in.Next(a.normalized != 0)),
        gamma(in.Next(a.affine != 0)),
        beta(in.Next(a.affine != 0)),
        read(src) {
    if (a.normalized != 0) read = BatchNormApply(body, src, mean, variance, gamma, beta, a.epsilon);
    if (a.relu != 0) read = Relu(body, read);
  }
  static ValueId NextSource(Graph& body, const SeparableAttributes& a, BodyInputs& in) {
    std::vector<ValueId> parts;
    for (int64_t i = 0; i < a.sources; ++i) parts.push_back(in.Next());
    return parts.size() == 1 ? parts[0] : Concat(body, parts);
  }

  ValueId src, mean, variance, gamma, beta, read;
};

ConvAttributes DepthwiseOf(const SeparableAttributes& a, size_t branch, int64_t channels) {
  return {a.stride[branch], a.stride[branch], a.pad[branch], a.pad[branch], a.dilation[branch], channels};
}

ConvAttributes PointwiseOf(const SeparableAttributes& a, size_t branch) { return {1, 1, 0, 0, 1, a.groups[branch]}; }

void Check(const SeparableAttributes& a) {
  PD_CHECK(a.sources >= 1 && (a.sources == 1 || a.normalized == 0), "{} normalised sources", a.sources);
  PD_CHECK(a.branches() > 0 && a.pad.size() == a.branches() && a.dilation.size() == a.branches() &&
               a.groups.size() == a.branches(),
           "{} strides", a.branches());
}

Graph ForwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<SeparableAttributes>(packed);
  Check(a);
  Graph body;
  BodyInputs in(body, descs);
  const Source source(body, a, in);
  for (size_t branch = 0; branch < a.branches(); ++branch) {
    const ValueId depthwise = in.Next(a.depthwise(branch)), pointwise = in.Next();
    const ConvAttributes conv = DepthwiseOf(a, branch, body.shape(source.src).c());
    const ValueId middle = a.depthwise(branch) ? Conv2d(body, source.read, depthwise, conv) : source.read;
    const ValueId dst = Conv2d(body, middle, pointwise, PointwiseOf(a, branch));
    const auto statistics = Emit(body, ir::OpKind::kBatchNormStatistics, {}, {dst});
    body.Output(fmt::format("dst{}", branch), dst);
    body.Output(fmt::format("mean{}", branch), statistics[0]);
    body.Output(fmt::format("variance{}", branch), statistics[1]);
  }
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());
  return body;
}

// The gradients by one branch: of what its depthwise convolution reads, and of its weights if they are wanted.
struct BranchDiffs {
  ValueId src, depthwise = kNone, pointwise = kNone;
};

BranchDiffs BranchBackward(Graph& body, const SeparableBwdAttributes& a, size_t branch, const Source& source,
                           BodyInputs& in) {
  const ValueId depthwise = in.Next(a.depthwise(branch)), pointwise = in.Next();
  std::vector<ValueId> norm(6);  // dst, its mean, its variance, diff_dst, diff_gamma, diff_beta [, gamma] [, table]
  for (ValueId& value : norm) value = in.Next();
  if (a.dst_affine[branch] != 0) norm.push_back(in.Next());
  if (a.index[branch] >= 0) norm.push_back(in.Next());
  if (a.path(branch)) norm[3] = ScaleSamples(body, norm[3], in.Next());

  const BatchNormBwdDataAttributes norm_attributes{{a.epsilon}, a.index[branch]};
  const ValueId diff_dst = Emit(body, ir::OpKind::kBatchNormBwdData, ir::Pack(norm_attributes), std::move(norm))[0];
  const ConvAttributes one = PointwiseOf(a, branch);
  const ValueId diff_middle =
      Conv2dBwdData(body, diff_dst, pointwise, {one, body.shape(diff_dst).h(), body.shape(diff_dst).w()});
  if (!a.depthwise(branch)) {
    if (a.weights == 0) return {diff_middle};
    return {diff_middle, kNone, Conv2dBwdWeights(body, source.read, diff_dst, {one, 1, 1})};
  }
  const tensor::Shape shape = body.shape(source.src), kernel = body.shape(depthwise);
  const ConvAttributes conv = DepthwiseOf(a, branch, shape.c());
  BranchDiffs diffs{Conv2dBwdData(body, diff_middle, depthwise, {conv, shape.h(), shape.w()})};
  if (a.weights == 0) return diffs;
  diffs.depthwise = Conv2dBwdWeights(body, source.read, diff_middle, {conv, kernel[2], kernel[3]});
  diffs.pointwise = Conv2dBwdWeights(body, Conv2d(body, source.read, depthwise, conv), diff_dst, {one, 1, 1});
  return diffs;
}

Graph BackwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<SeparableBwdAttributes>(packed);
  Check(a);
  PD_CHECK(a.dst_affine.size() == a.branches() && a.index.size() == a.branches() &&
               (a.paths.empty() || a.paths.size() == a.branches()),
           "{} strides", a.branches());
  Graph body;
  BodyInputs in(body, descs);
  const Source source(body, a, in);
  std::vector<BranchDiffs> diffs;
  std::vector<ValueId> terms;
  for (size_t branch = 0; branch < a.branches(); ++branch) {
    diffs.push_back(BranchBackward(body, a, branch, source, in));
    terms.push_back(diffs.back().src);
  }
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());

  ValueId diff_src = AddN(body, terms);
  if (a.mask != 0) diff_src = Emit(body, ir::OpKind::kReluBwd, {}, {diff_src, source.read})[0];
  const int64_t channels = body.shape(diff_src).c() / a.sources;
  for (int64_t i = 0; i < a.sources; ++i)
    body.Output(fmt::format("diff_src{}", i),
                a.sources == 1 ? diff_src : Slice(body, diff_src, i * channels, channels));
  if (a.normalized != 0) {
    const auto sums = Emit(body, ir::OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{a.epsilon}),
                           {source.src, source.mean, source.variance, diff_src});
    body.Output("diff_gamma", sums[0]);
    body.Output("diff_beta", sums[1]);
  }
  for (size_t branch = 0; a.weights != 0 && branch < a.branches(); ++branch) {
    if (a.depthwise(branch)) body.Output(fmt::format("diff_depthwise{}", branch), diffs[branch].depthwise);
    body.Output(fmt::format("diff_pointwise{}", branch), diffs[branch].pointwise);
  }
  return body;
}

// Of all convolutions of the body.
template <BodyFunction kBody>
int64_t CountMultiplyAdds(const Graph& graph, const ir::Node& node) {
  const Graph body = kBody(node.attributes, InputDescs(graph, node));
  int64_t sum = 0;
  for (const ir::Node& part : body.nodes()) sum += MultiplyAdds(body, part);
  return sum;
}

}  // namespace

const OpDefinition kSeparableDefinition{InferByBody<ForwardBody>, nullptr, RunByBody<ForwardBody>,
                                        CountMultiplyAdds<ForwardBody>};
const OpDefinition kSeparableBwdDefinition{InferByBody<BackwardBody>, nullptr, RunByBody<BackwardBody>,
                                           CountMultiplyAdds<BackwardBody>};

std::vector<ValueId> Separable(Graph& graph, std::vector<ValueId> inputs, const SeparableAttributes& attributes) {
  return Emit(graph, ir::OpKind::kSeparable, ir::Pack(attributes), std::move(inputs));
}

std::vector<ValueId> SeparableBwd(Graph& graph, std::vector<ValueId> inputs, const SeparableBwdAttributes& attributes) {
  return Emit(graph, ir::OpKind::kSeparableBwd, ir::Pack(attributes), std::move(inputs));
}

}  // namespace pdarts::ops
