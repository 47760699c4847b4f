// Sums of normalised paths as one op, made by passes/sum_paths.cpp only, so it has no gradient rule. What it means is
// the graph of the ops it replaces:
//   path_sum:     add_n of the terms, each [scale_samples of] [batch_norm_apply of] a source.
//   path_sum_bwd: for each term batch_norm_bwd_sums of [scale_samples of] diff_dst.
#include "ops/body.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::TensorDesc;

void Check(const PathSumAttributes& a) {
  PD_CHECK(!a.paths.empty() && a.normalized.size() == a.paths.size() && a.affine.size() == a.paths.size(), "{} paths",
           a.paths.size());
  for (size_t k = 0; k < a.paths.size(); ++k) PD_CHECK(a.affine[k] <= a.normalized[k], "term {} is not normalised", k);
}

Graph ForwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<PathSumAttributes>(packed);
  Check(a);
  Graph body;
  BodyInputs in(body, descs);
  std::vector<ValueId> terms;
  for (size_t k = 0; k < a.paths.size(); ++k) {
    const bool normalized = a.normalized[k] != 0, affine = a.affine[k] != 0;
    ValueId term = in.Next();
    const ValueId mean = in.Next(normalized), variance = in.Next(normalized), gamma = in.Next(affine),
                  beta = in.Next(affine);
    if (normalized) term = BatchNormApply(body, term, mean, variance, gamma, beta, a.epsilon);
    if (a.paths[k] != 0) term = ScaleSamples(body, term, in.Next());
    terms.push_back(term);
  }
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());
  body.Output("dst", AddN(body, terms));
  return body;
}

Graph BackwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<PathSumAttributes>(packed);
  Check(a);
  Graph body;
  BodyInputs in(body, descs);
  const ValueId diff_dst = in.Next();
  for (size_t k = 0; k < a.paths.size(); ++k) {
    PD_CHECK(a.normalized[k] != 0 && a.affine[k] == 0, "term {}", k);
    const ValueId src = in.Next(), mean = in.Next(), variance = in.Next();
    const ValueId diff = a.paths[k] != 0 ? ScaleSamples(body, diff_dst, in.Next()) : diff_dst;
    const auto sums = Emit(body, ir::OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{a.epsilon}),
                           {src, mean, variance, diff});
    body.Output(fmt::format("diff_gamma{}", k), sums[0]);
    body.Output(fmt::format("diff_beta{}", k), sums[1]);
  }
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());
  return body;
}

void Append(const PathTerm& term, bool affine, std::vector<ValueId>& inputs, PathSumAttributes& a) {
  a.normalized.push_back(term.mean != ir::kNoValue);
  a.affine.push_back(affine && term.gamma != ir::kNoValue);
  a.paths.push_back(term.factors != ir::kNoValue);
  inputs.push_back(term.src);
  if (a.normalized.back() != 0) inputs.insert(inputs.end(), {term.mean, term.variance});
  if (a.affine.back() != 0) inputs.insert(inputs.end(), {term.gamma, term.beta});
  if (a.paths.back() != 0) inputs.push_back(term.factors);
}

}  // namespace

const OpDefinition kPathSumDefinition{InferByBody<ForwardBody>, nullptr, RunByBody<ForwardBody>};
const OpDefinition kPathSumBwdDefinition{InferByBody<BackwardBody>, nullptr, RunByBody<BackwardBody>};

ValueId PathSum(Graph& graph, const std::vector<PathTerm>& terms, double epsilon) {
  PathSumAttributes a{.epsilon = epsilon};
  std::vector<ValueId> inputs;
  for (const PathTerm& term : terms) Append(term, true, inputs, a);
  return Emit(graph, ir::OpKind::kPathSum, ir::Pack(a), std::move(inputs))[0];
}

PathSumDiffs PathSumBwd(Graph& graph, ValueId diff_dst, const std::vector<PathTerm>& terms, double epsilon) {
  PathSumAttributes a{.epsilon = epsilon};
  std::vector<ValueId> inputs = {diff_dst};
  for (const PathTerm& term : terms) Append(term, false, inputs, a);
  const std::vector<ValueId> outputs = Emit(graph, ir::OpKind::kPathSumBwd, ir::Pack(a), std::move(inputs));
  PathSumDiffs diffs;
  for (size_t k = 0; k < terms.size(); ++k)
    diffs.gammas.push_back(outputs[2 * k]), diffs.betas.push_back(outputs[2 * k + 1]);
  return diffs;
}

}  // namespace pdarts::ops
