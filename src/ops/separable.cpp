// A separable convolution and what stands around it as one op, made by a pass only (passes/fuse_separable.cpp), so it
// has no gradient rule. What it means is the graph of the ops it replaces:
//   separable:     [batch_norm_apply,] [relu,] depthwise conv2d, 1x1 conv2d; dst and its batch_norm_statistics.
//   separable_bwd: from the gradient of the normalised dst, batch_norm_bwd_data, both convolutions' gradients,
//   [relu_bwd]
//                  and the batch_norm_bwd_sums of the src's normalisation, if it has one.
#include "ops/body.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::TensorDesc;

constexpr auto kNone = ir::kNoValue;

// Hands out a node's inputs in their order as inputs of a body; what a node lacks is kNoValue.
class Inputs {
 public:
  Inputs(Graph& body, std::span<const TensorDesc> descs) : body_(body), descs_(descs) {}
  ValueId Next(bool present = true) {
    if (!present) return kNone;
    PD_CHECK(next_ < descs_.size(), "{} inputs", descs_.size());
    const std::string name = std::to_string(next_);
    return body_.Input(name, descs_[next_++]);
  }
  bool AllTaken() const { return next_ == descs_.size(); }

 private:
  Graph& body_;
  std::span<const TensorDesc> descs_;
  size_t next_ = 0;
};

// src, weights of the depthwise and of the 1x1 convolution [, mean, variance [, gamma, beta]].
struct Source {
  Source(const SeparableAttributes& a, Inputs& in)
      : src(in.Next()),
        depthwise(in.Next()),
        pointwise(in.Next()),
        mean(in.Next(a.normalized != 0)),
        variance(in.Next(a.normalized != 0)),
        gamma(in.Next(a.affine != 0)),
        beta(in.Next(a.affine != 0)) {}

  // What the depthwise convolution reads.
  ValueId Read(Graph& body, const SeparableAttributes& a) const {
    ValueId x = src;
    if (a.normalized != 0) x = BatchNormApply(body, x, mean, variance, gamma, beta, a.epsilon);
    return a.relu != 0 ? Relu(body, x) : x;
  }
  ValueId src, depthwise, pointwise, mean, variance, gamma, beta;
};

Graph ForwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<SeparableAttributes>(packed);
  Graph body;
  Inputs in(body, descs);
  const Source source(a, in);
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());
  const ValueId middle = Conv2d(body, source.Read(body, a), source.depthwise, a);
  const ValueId dst = Conv2d(body, middle, source.pointwise, {});
  const auto statistics = Emit(body, ir::OpKind::kBatchNormStatistics, {}, {dst});
  body.Output("dst", dst);
  body.Output("mean", statistics[0]);
  body.Output("variance", statistics[1]);
  return body;
}

// After the source: dst, its mean, its variance, diff_dst, diff_gamma, diff_beta [, gamma] [, table of weights].
Graph BackwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<SeparableBwdAttributes>(packed);
  Graph body;
  Inputs in(body, descs);
  const Source source(a, in);
  std::vector<ValueId> norm(6);
  for (ValueId& value : norm) value = in.Next();
  if (a.dst_affine != 0) norm.push_back(in.Next());
  if (a.index >= 0) norm.push_back(in.Next());
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());

  const BatchNormBwdDataAttributes norm_attributes{{a.epsilon}, a.index};
  const ValueId diff_dst = Emit(body, ir::OpKind::kBatchNormBwdData, ir::Pack(norm_attributes), std::move(norm))[0];
  const ValueId diff_middle =
      Conv2dBwdData(body, diff_dst, source.pointwise, {{}, body.shape(diff_dst).h(), body.shape(diff_dst).w()});
  const ValueId x = source.Read(body, a);
  const tensor::Shape shape = body.shape(x), kernel = body.shape(source.depthwise);
  ValueId diff_src = Conv2dBwdData(body, diff_middle, source.depthwise, {a, shape.h(), shape.w()});
  if (a.mask != 0) diff_src = Emit(body, ir::OpKind::kReluBwd, {}, {diff_src, x})[0];
  body.Output("diff_src", diff_src);
  if (a.weights != 0) {
    body.Output("diff_depthwise", Conv2dBwdWeights(body, x, diff_middle, {a, kernel[2], kernel[3]}));
    body.Output("diff_pointwise", Conv2dBwdWeights(body, Conv2d(body, x, source.depthwise, a), diff_dst, {{}, 1, 1}));
  }
  if (a.normalized != 0) {
    const auto sums = Emit(body, ir::OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{a.epsilon}),
                           {source.src, source.mean, source.variance, diff_src});
    body.Output("diff_gamma", sums[0]);
    body.Output("diff_beta", sums[1]);
  }
  return body;
}

std::vector<TensorDesc> OutputsOf(const Graph& body) {
  std::vector<TensorDesc> descs;
  for (const auto& output : body.outputs()) descs.push_back(body.desc(output.second));
  return descs;
}

using BodyFunction = Graph (*)(const ir::Attributes&, std::span<const TensorDesc>);

template <BodyFunction kBody>
std::vector<TensorDesc> Infer(const ir::Attributes& attributes, std::span<const TensorDesc> in) {
  return OutputsOf(kBody(attributes, in));
}

template <BodyFunction kBody>
void Reference(const ReferenceContext& c) {
  std::vector<TensorDesc> descs;
  for (ValueId input : c.node.inputs) descs.push_back(c.graph.desc(input));
  RunBody(kBody(c.node.attributes, descs), c.inputs, c.outputs);
}

// Of all convolutions of the body.
template <BodyFunction kBody>
int64_t CountMultiplyAdds(const Graph& graph, const ir::Node& node) {
  std::vector<TensorDesc> descs;
  for (ValueId input : node.inputs) descs.push_back(graph.desc(input));
  const Graph body = kBody(node.attributes, descs);
  int64_t sum = 0;
  for (const ir::Node& part : body.nodes()) sum += MultiplyAdds(body, part);
  return sum;
}

}  // namespace

const OpDefinition kSeparableDefinition{Infer<ForwardBody>, nullptr, Reference<ForwardBody>,
                                        CountMultiplyAdds<ForwardBody>};
const OpDefinition kSeparableBwdDefinition{Infer<BackwardBody>, nullptr, Reference<BackwardBody>,
                                           CountMultiplyAdds<BackwardBody>};

std::vector<ValueId> Separable(Graph& graph, std::vector<ValueId> inputs, const SeparableAttributes& attributes) {
  return Emit(graph, ir::OpKind::kSeparable, ir::Pack(attributes), std::move(inputs));
}

std::vector<ValueId> SeparableBwd(Graph& graph, std::vector<ValueId> inputs, const SeparableBwdAttributes& attributes) {
  return Emit(graph, ir::OpKind::kSeparableBwd, ir::Pack(attributes), std::move(inputs));
}

}  // namespace pdarts::ops
