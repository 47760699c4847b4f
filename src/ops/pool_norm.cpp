// Pools of one tensor with the batch norms behind them, as the edges that leave a state of a searched cell share them,
// as one op each way, made by a pass only (passes/fuse_pool_norms.cpp), so it has no gradient rule. What it means is
// the graph of the ops it replaces:
//   pool_norm:     for each branch max_pool or avg_pool, and batch_norm_statistics of its dst.
//   pool_norm_bwd: for each branch weighted_sum of its diffs, batch_norm_bwd_data, max_pool_bwd or avg_pool_bwd; add_n
//                  of the further term, the weighted_sum of the diffs that reach src itself, if there are such, the
//                  dropouts of those that reach it dropped, and of all these; batch_norm_bwd_sums of that, if the batch
//                  norm whose result src is wants them.
#include "ops/body.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using ir::OpKind;
using tensor::TensorDesc;

Graph ForwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<PoolNormAttributes>(packed);
  PD_CHECK(a.branches() > 0 && descs.size() == 1, "{} pools of {} inputs", a.branches(), descs.size());
  Graph body;
  const ValueId src = body.Input("src", descs[0]);
  for (size_t b = 0; b < a.branches(); ++b) {
    const auto pool =
        Emit(body, a.max[b] != 0 ? OpKind::kMaxPool : OpKind::kAvgPool, ir::Pack(PoolAttributes(a)), {src});
    const auto statistics = Emit(body, OpKind::kBatchNormStatistics, {}, {pool[0]});
    body.Output(fmt::format("dst{}", b), pool[0]);
    body.Output(fmt::format("mean{}", b), statistics[0]);
    body.Output(fmt::format("variance{}", b), statistics[1]);
    if (a.max[b] != 0) body.Output(fmt::format("workspace{}", b), pool[1]);
  }
  return body;
}

bool IsDropped(const PoolNormBwdAttributes& a, size_t diff) { return !a.drops.empty() && a.drops[diff] >= 0; }

// The weighted sum of a row of indices, or kNoValue where it has none; of the last row, without what is dropped.
ValueId SumOfRow(Graph& body, const PoolNormBwdAttributes& a, size_t row, ValueId table,
                 const std::vector<ValueId>& diffs) {
  std::vector<ValueId> terms;
  std::vector<int64_t> indices;
  for (size_t k = 0; k < diffs.size(); ++k) {
    const int64_t index = a.indices[row * diffs.size() + k];
    if (index < 0 || (row == a.branches() && IsDropped(a, k))) continue;
    terms.push_back(diffs[k]), indices.push_back(index);
  }
  return terms.empty() ? ir::kNoValue : WeightedSum(body, terms, table, indices);
}

// The gradient of src by branch b.
ValueId BranchBackward(Graph& body, const PoolNormBwdAttributes& a, size_t b, ValueId table,
                       const std::vector<ValueId>& diffs, BodyInputs& in) {
  std::vector<ValueId> norm(6);  // dst, its mean and variance, diff_dst, diff_gamma, diff_beta
  for (size_t i : {0, 1, 2, 4, 5}) norm[i] = in.Next();
  norm[3] = SumOfRow(body, a, b, table, diffs);
  PD_CHECK(norm[3] != ir::kNoValue, "no diffs of branch {}", b);
  const ir::Attributes attributes = ir::Pack(BatchNormBwdDataAttributes{{a.epsilon}});
  std::vector<ValueId> pool = {Emit(body, OpKind::kBatchNormBwdData, attributes, std::move(norm))[0]};
  if (a.max[b] != 0) pool.push_back(in.Next());
  const OpKind kind = a.max[b] != 0 ? OpKind::kMaxPoolBwd : OpKind::kAvgPoolBwd;
  return Emit(body, kind, ir::Pack(PoolBwdAttributes(a)), std::move(pool))[0];
}

Graph BackwardBody(const ir::Attributes& packed, std::span<const TensorDesc> descs) {
  const auto a = ir::Unpack<PoolNormBwdAttributes>(packed);
  PD_CHECK(a.drops.empty() || a.drops.size() == a.diffs(), "{} drops", a.drops.size());
  PD_CHECK(a.branches() > 0 && a.diffs() > 0 && a.indices.size() == (a.branches() + 1) * a.diffs(),
           "{} indices, {} pools", a.indices.size(), a.branches());
  Graph body;
  BodyInputs in(body, descs);
  const ValueId table = in.Next(), add = in.Next(a.add != 0);
  std::vector<ValueId> diffs(a.diffs()), terms;
  for (ValueId& diff : diffs) diff = in.Next();
  if (a.add != 0) terms.push_back(add);
  const ValueId direct = SumOfRow(body, a, a.branches(), table, diffs);
  if (direct != ir::kNoValue) terms.push_back(direct);
  for (size_t b = 0; b < a.branches(); ++b) terms.push_back(BranchBackward(body, a, b, table, diffs, in));
  const ValueId rate = in.Next(!a.drops.empty()), rng = in.Next(!a.drops.empty());
  for (size_t k = 0; k < a.drops.size(); ++k) {
    const int64_t index = a.indices[a.branches() * a.diffs() + k];
    if (IsDropped(a, k))
      terms.push_back(Emit(body, OpKind::kDropout, ir::Pack(DropoutAttributes{a.drops[k], index}),
                           {diffs[k], rate, rng, table})[0]);
  }
  const ValueId diff_src = AddN(body, terms);
  body.Output("diff_src", diff_src);
  if (a.sums != 0) {
    const ValueId src = in.Next(), mean = in.Next(), variance = in.Next();
    const auto sums = Emit(body, OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{a.epsilon}),
                           {src, mean, variance, diff_src});
    body.Output("diff_gamma", sums[0]);
    body.Output("diff_beta", sums[1]);
  }
  PD_CHECK(in.AllTaken(), "{} inputs", descs.size());
  return body;
}

}  // namespace

const OpDefinition kPoolNormDefinition{InferByBody<ForwardBody>, nullptr, RunByBody<ForwardBody>};
const OpDefinition kPoolNormBwdDefinition{InferByBody<BackwardBody>, nullptr, RunByBody<BackwardBody>};

std::vector<ValueId> PoolNorm(Graph& graph, ValueId src, const PoolNormAttributes& attributes) {
  return Emit(graph, OpKind::kPoolNorm, ir::Pack(attributes), {src});
}

std::vector<ValueId> PoolNormBwd(Graph& graph, std::vector<ValueId> inputs, const PoolNormBwdAttributes& attributes) {
  return Emit(graph, OpKind::kPoolNormBwd, ir::Pack(attributes), std::move(inputs));
}

}  // namespace pdarts::ops
