// The pools of a searched cell's states, each with a batch norm without affine parameters behind it. Forward: the pools
// of one tensor and the statistics of their results become one pool_norm. Backward: the weighted sums of the gradients
// that reach them, batch_norm_bwd_data and the pools' own backward become one pool_norm_bwd, which adds the other terms
// of the tensor's gradient as well, where there is such a sum: scaled gradients of the same nodes, as skip connections
// give, dropped or not, and the rest; and where the tensor is a batch norm's result, batch_norm_bwd_sums joins too.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "ops/op.h"
#include "ops/ops.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"

namespace pdarts::passes {
namespace {

using ir::Node;
using ir::NodeId;
using ir::OpKind;
using ir::ValueId;

class ForwardFuser {
 public:
  explicit ForwardFuser(const ir::Graph& graph) : graph_(graph), rebuilder_(graph), uses_(graph) {
    std::map<std::pair<ValueId, std::string>, NodeId> first;  // by src and window
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      const Node& node = graph.node(id);
      if (!uses_.Live(id) || (node.kind != OpKind::kMaxPool && node.kind != OpKind::kAvgPool)) continue;
      const auto statistics = uses_.Reader(node.outputs[0], OpKind::kBatchNormStatistics);
      if (!statistics) continue;
      const NodeId place = first.try_emplace({node.inputs[0], node.attributes.ToString()}, id).first->second;
      groups_[place].push_back({id, *statistics});
      gone_.insert({id, *statistics});
    }
  }

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (const auto group = groups_.find(id); group != groups_.end())
        Emit(group->second);
      else if (uses_.Live(id) && !gone_.contains(id))
        rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  struct Member {
    NodeId pool, statistics;
  };

  void Emit(const std::vector<Member>& members) {
    const Node& first = graph_.node(members[0].pool);
    ops::PoolNormAttributes a{ir::Unpack<ops::PoolAttributes>(first.attributes), {}};
    for (const Member& member : members) a.max.push_back(graph_.node(member.pool).kind == OpKind::kMaxPool);
    const ir::Graph::Scope scope(rebuilder_.graph(), first.name);
    const auto outputs = ops::PoolNorm(rebuilder_.graph(), rebuilder_.Map(first.inputs[0]), a);
    size_t next = 0;
    for (const Member& member : members) {
      const auto &pool = graph_.node(member.pool).outputs, &statistics = graph_.node(member.statistics).outputs;
      rebuilder_.Replace(pool[0], outputs[next++]);
      for (ValueId moment : statistics) rebuilder_.Replace(moment, outputs[next++]);
      if (pool.size() > 1) rebuilder_.Replace(pool[1], outputs[next++]);
    }
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::map<NodeId, std::vector<Member>> groups_;  // by the first pool
  std::set<NodeId> gone_;
};

class BackwardFuser {
 public:
  explicit BackwardFuser(const ir::Graph& graph) : graph_(graph), rebuilder_(graph), uses_(graph) {
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      const OpKind kind = graph.node(id).kind;
      if (uses_.Live(id) && (kind == OpKind::kMaxPoolBwd || kind == OpKind::kAvgPoolBwd)) Find(id);
    }
  }

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (const auto group = groups_.find(id); group != groups_.end())
        Emit(id, group->second);
      else if (uses_.Live(id) && !gone_.contains(id))
        rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  // The gradient of a pool's normalised dst as a weighted sum. Values are of the old graph.
  struct Branch {
    NodeId pool, norm;  // max_pool_bwd or avg_pool_bwd, and its batch_norm_bwd_data
    ValueId table;
    std::vector<ValueId> diffs;
    std::vector<int64_t> indices;
    bool scaled;  // norm takes the weight itself, so its sums are without it
  };

  const Node& Producer(ValueId value) const { return graph_.node(graph_.value(value).producer); }

  std::optional<Branch> BranchOf(NodeId pool) const {
    const ValueId diff_dst = graph_.node(pool).inputs[0];
    const Node& norm = Producer(diff_dst);
    if (norm.kind != OpKind::kBatchNormBwdData || !uses_.ReadOnce(diff_dst)) return std::nullopt;
    const NodeId norm_id = graph_.value(diff_dst).producer;
    const int64_t index = ir::Unpack<ops::BatchNormBwdDataAttributes>(norm.attributes).index;
    const ValueId diff = norm.inputs[3];
    if (index >= 0 && norm.inputs.size() == 7) return Branch{pool, norm_id, norm.inputs[6], {diff}, {index}, true};
    const Node& sum = Producer(diff);
    if (index >= 0 || norm.inputs.size() != 6 || sum.kind != OpKind::kWeightedSum || !uses_.ReadOnce(diff))
      return std::nullopt;
    const std::vector<ValueId> diffs(sum.inputs.begin() + 1, sum.inputs.end());
    if (std::set<ValueId>(diffs.begin(), diffs.end()).size() != diffs.size()) return std::nullopt;
    const auto& indices = std::get<std::vector<int64_t>>(sum.attributes.Get("indices"));
    return Branch{pool, norm_id, sum.inputs[0], diffs, indices, false};
  }

  // Pools that are terms of one sum are branches of one node in its place, if they have the window, the table and the
  // epsilon in common; any other pool has its own.
  void Find(NodeId id) {
    const std::optional<Branch> branch = BranchOf(id);
    if (!branch) return;
    NodeId place = id;
    const ValueId diff_src = graph_.node(id).outputs[0];
    if (const auto sum = uses_.OnlyReader(diff_src, OpKind::kAddN))
      if (const auto group = groups_.find(*sum); group == groups_.end() || Alike(group->second[0], *branch))
        place = *sum;
    groups_[place].push_back(*branch);
    if (place != id) gone_.insert(id);
    if (const auto sums = SumsOf(place, EpsilonOf(groups_[place][0]))) gone_.insert(*sums);
  }

  bool Alike(const Branch& a, const Branch& b) const {
    return a.table == b.table && graph_.node(a.pool).attributes == graph_.node(b.pool).attributes &&
           EpsilonOf(a) == EpsilonOf(b);
  }

  double EpsilonOf(const Branch& branch) const {
    return std::get<double>(graph_.node(branch.norm).attributes.Get("epsilon"));
  }

  void Emit(NodeId place, const std::vector<Branch>& branches) {
    const Node& at = graph_.node(place);
    const Node& first = graph_.node(branches[0].pool);
    ir::Graph& to = rebuilder_.graph();
    const ir::Graph::Scope scope(to, first.name);
    ops::PoolNormBwdAttributes a{ir::Unpack<ops::PoolBwdAttributes>(first.attributes)};
    a.epsilon = EpsilonOf(branches[0]);
    std::vector<ValueId> inputs = {rebuilder_.Map(branches[0].table)}, diffs = DiffsOf(branches), rest;
    Direct direct{diffs, std::vector<int64_t>(diffs.size(), -1), std::vector<int64_t>(diffs.size(), -1)};
    if (at.kind == OpKind::kAddN)
      for (ValueId term : at.inputs)
        if (!gone_.contains(graph_.value(term).producer) && !TakeDirect(term, branches[0].table, direct))
          rest.push_back(rebuilder_.Map(term));
    diffs = direct.diffs;
    if (!rest.empty()) inputs.push_back(ops::AddN(to, rest)), a.add = 1;
    for (ValueId diff : diffs) inputs.push_back(rebuilder_.Map(diff));
    for (const Branch& branch : branches) AppendBranch(branch, diffs, a, inputs);
    a.indices.insert(a.indices.end(), direct.indices.begin(), direct.indices.end());
    if (direct.rate != ir::kNoValue) {
      a.drops = direct.drops;
      inputs.insert(inputs.end(), {rebuilder_.Map(direct.rate), rebuilder_.Map(direct.rng)});
    }
    const auto sums = SumsOf(place, a.epsilon);
    if (sums) {
      a.sums = 1;
      for (size_t i : {0, 1, 2}) inputs.push_back(rebuilder_.Map(graph_.node(*sums).inputs[i]));
    }
    const auto outputs = ops::PoolNormBwd(to, std::move(inputs), a);
    rebuilder_.Replace(at.outputs[0], outputs[0]);
    for (size_t i = 1; i < outputs.size(); ++i) rebuilder_.Replace(graph_.node(*sums).outputs[i - 1], outputs[i]);
  }

  // The batch_norm_bwd_sums of the gradient that `place` computes, if it goes by the same epsilon and by a batch's
  // statistics that stand before it.
  std::optional<NodeId> SumsOf(NodeId place, double epsilon) const {
    const ValueId diff = graph_.node(place).outputs[0];
    const auto sums = uses_.Reader(diff, OpKind::kBatchNormBwdSums);
    if (!sums) return std::nullopt;
    const Node& node = graph_.node(*sums);
    const auto stands = [&](ValueId input) { return graph_.value(input).producer < place; };
    const bool fits = node.inputs[3] == diff && std::all_of(node.inputs.begin(), node.inputs.begin() + 3, stands) &&
                      std::get<double>(node.attributes.Get("epsilon")) == epsilon;
    return fits ? sums : std::nullopt;
  }

  static std::vector<ValueId> DiffsOf(const std::vector<Branch>& branches) {
    std::vector<ValueId> diffs;
    for (const Branch& branch : branches)
      for (ValueId diff : branch.diffs)
        if (std::ranges::find(diffs, diff) == diffs.end()) diffs.push_back(diff);
    return diffs;
  }

  // The diffs, those of the branches first, and how each reaches src itself: -1 for not at all, and for undropped.
  struct Direct {
    std::vector<ValueId> diffs;
    std::vector<int64_t> indices, drops;
    ValueId rate = ir::kNoValue, rng = ir::kNoValue;  // of the drops
  };

  // A scaled diff that nothing else reads, by the same table; new ones are appended.
  bool TakeDirect(ValueId term, ValueId table, Direct& direct) const {
    const Node& scale = Producer(term);
    const bool dropped = scale.kind == OpKind::kDropout && CanDrop(scale, direct);
    if ((scale.kind != OpKind::kScaleByWeight && !dropped) || scale.inputs.back() != table || !uses_.ReadOnce(term))
      return false;
    if (graph_.desc(scale.inputs[0]) != graph_.desc(direct.diffs[0])) return false;
    const auto at = std::ranges::find(direct.diffs, scale.inputs[0]) - direct.diffs.begin();
    if (at == std::ssize(direct.diffs)) {
      direct.diffs.push_back(scale.inputs[0]);
      direct.indices.push_back(-1), direct.drops.push_back(-1);
    }
    if (direct.indices[at] >= 0) return false;
    direct.indices[at] = scale.attributes.Int("index");
    if (!dropped) return true;
    direct.drops[at] = scale.attributes.Int("op_id");
    direct.rate = scale.inputs[1], direct.rng = scale.inputs[2];
    return true;
  }

  // The kernel draws for rows, and for eight elements at once.
  bool CanDrop(const Node& dropout, const Direct& direct) const {
    const tensor::Shape& shape = graph_.shape(dropout.inputs[0]);
    if (dropout.inputs.size() != 4) return false;
    if (shape.w() * shape.c() % 8 != 0) return false;
    return direct.rate == ir::kNoValue || (direct.rate == dropout.inputs[1] && direct.rng == dropout.inputs[2]);
  }

  void AppendBranch(const Branch& branch, const std::vector<ValueId>& diffs, ops::PoolNormBwdAttributes& a,
                    std::vector<ValueId>& inputs) {
    const Node &pool = graph_.node(branch.pool), &norm = graph_.node(branch.norm);
    a.max.push_back(pool.kind == OpKind::kMaxPoolBwd);
    for (ValueId diff : diffs) {
      const auto found = std::ranges::find(branch.diffs, diff);
      a.indices.push_back(found == branch.diffs.end() ? -1 : branch.indices[found - branch.diffs.begin()]);
    }
    for (size_t i : {0, 1, 2}) inputs.push_back(rebuilder_.Map(norm.inputs[i]));
    for (size_t i : {4, 5}) {
      const ValueId sum = rebuilder_.Map(norm.inputs[i]);
      inputs.push_back(branch.scaled ? ops::WeightedSum(rebuilder_.graph(), {sum}, inputs[0], branch.indices) : sum);
    }
    if (a.max.back() != 0) inputs.push_back(rebuilder_.Map(pool.inputs[1]));
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::map<NodeId, std::vector<Branch>> groups_;  // by the sum, or by the pool's own node
  std::set<NodeId> gone_;                         // pools whose node stands in the place of a sum
};

}  // namespace

ir::Graph FusePoolNorms(const ir::Graph& graph) { return DeadCode(BackwardFuser(ForwardFuser(graph).Run()).Run()); }

}  // namespace pdarts::passes
