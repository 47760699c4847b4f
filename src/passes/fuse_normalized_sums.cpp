// The sums of a searched cell are over batch norms without affine parameters. Forward: weighted_sum of batch_norm_apply
// becomes normalized_sum, which reads what the applies read, so that these tensors need not exist. Backward: what one
// gradient g of such sums gives to their terms, scale_by_weight(g), batch_norm_bwd_sums of it, and the gradients of the
// table, becomes one normalized_sum_bwd; batch_norm_bwd_data then reads g and takes the weight itself.
// An apply that something else reads too must exist anyway, so it stays a term like any other. Where a term's gradient
// is a weighted sum of several g, as of a pool that several sums share, its diff_gamma and diff_beta are the weighted
// sums of those that each g gives.
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
using ops::SumTerm;

const std::vector<int64_t>& Indices(const Node& node) {
  return std::get<std::vector<int64_t>>(node.attributes.Get("indices"));
}

// A batch norm whose backward reads a scaled g, or a weighted sum of several. Values are of the old graph.
struct Member {
  NodeId sums;  // its batch_norm_bwd_sums
  SumTerm term;
  int64_t index;
};

// All that normalized_sum_bwd takes over for one g.
struct Group {
  NodeId place = -1;                  // the first of its nodes, where the new one goes
  ValueId diff_table = ir::kNoValue;  // of the first weighted_sum_bwd_weights; the others are added to it
  std::vector<SumTerm> terms;         // of all weighted_sum_bwd_weights
  std::vector<int64_t> indices;
  std::vector<Member> members;
};

// What batch_norm_bwd_data reads instead, for each g; diffs and table are of the old graph, the rest of the new.
struct Scaled {
  ValueId table;
  std::vector<ValueId> diffs, diff_gammas, diff_betas;
  std::vector<int64_t> indices;
};

class Fuser {
 public:
  explicit Fuser(const ir::Graph& graph)
      : graph_(graph), rebuilder_(graph), uses_(graph), replaced_(graph.nodes().size()) {}

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id)
      if (uses_.Live(id) && graph_.node(id).kind == OpKind::kBatchNormApply) FindApply(id);
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (uses_.Live(id) && graph_.node(id).kind == OpKind::kBatchNormBwdSums) FindMember(id);
      if (uses_.Live(id) && graph_.node(id).kind == OpKind::kWeightedSumBwdWeights) FindTable(id);
    }
    std::multimap<NodeId, ValueId> places;
    for (const auto& [diff, group] : groups_)
      if (group.place >= 0) places.emplace(group.place, diff);
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      for (auto [it, end] = places.equal_range(id); it != end; ++it) EmitGroup(it->second, groups_.at(it->second));
      if (uses_.Live(id) && replaced_[id] == 0 && !Rewrite(graph_.node(id))) rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  NodeId Producer(ValueId value) const { return graph_.value(value).producer; }

  // One epsilon for all: the first one met.
  bool SameEpsilon(const Node& node) {
    if (!epsilon_) epsilon_ = Epsilon(node);
    return *epsilon_ == Epsilon(node);
  }

  void FindApply(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId dst = node.outputs[0], mean = node.inputs[1], variance = node.inputs[2];
    const bool only_sums = uses_.ReadOnlyBy(dst, [&](const Node& reader) {
      const bool sum = reader.kind == OpKind::kWeightedSum || reader.kind == OpKind::kWeightedSumBwdWeights;
      return sum && reader.inputs[0] != dst;
    });
    if (node.inputs.size() != 3 || !only_sums || !SameEpsilon(node)) return;
    applies_[dst] = {node.inputs[0], mean, variance};
    replaced_[id] = 1;
  }

  bool HasApply(const Node& sum) const {
    return std::any_of(sum.inputs.begin() + 1, sum.inputs.end(), [&](ValueId v) { return applies_.contains(v); });
  }

  std::vector<SumTerm> Terms(const Node& sum) const {
    std::vector<SumTerm> terms;
    for (auto it = sum.inputs.begin() + 1; it != sum.inputs.end(); ++it)
      terms.push_back(applies_.contains(*it) ? applies_.at(*it) : SumTerm{*it});
    return terms;
  }

  bool AllBefore(const std::vector<SumTerm>& terms, NodeId place) const {
    return std::ranges::all_of(terms, [&](const SumTerm& term) {
      return Producer(term.src) < place &&
             (term.mean == ir::kNoValue || std::max(Producer(term.mean), Producer(term.variance)) < place);
    });
  }

  static NodeId PlaceIn(Group& group, NodeId id) { return group.place < 0 ? group.place = id : group.place; }

  // batch_norm_bwd_sums of scale_by_weight(g), or of a weighted_sum of several g, where nobody else needs either.
  void FindMember(NodeId id) {
    const Node& sums = graph_.node(id);
    const ValueId scaled = sums.inputs[3];
    const Node& scale = graph_.node(Producer(scaled));
    const auto is_data = [&](const Node& node) {
      return node.kind == OpKind::kBatchNormBwdData && node.inputs.size() == 6 && node.inputs[3] == scaled &&
             std::equal(node.inputs.begin(), node.inputs.begin() + 3, sums.inputs.begin()) &&
             std::equal(sums.outputs.begin(), sums.outputs.end(), node.inputs.begin() + 4);
    };
    const bool alone = uses_.ReadOnlyBy(scaled, [&](const Node& node) { return &node == &sums || is_data(node); }) &&
                       uses_.ReadOnlyBy(sums.outputs[0], is_data) && uses_.ReadOnlyBy(sums.outputs[1], is_data);
    const bool several = scale.kind == OpKind::kWeightedSum && !HasApply(scale);
    if ((scale.kind != OpKind::kScaleByWeight && !several) || !alone) return;
    if (!SameEpsilon(sums)) return;
    const SumTerm term{sums.inputs[0], sums.inputs[1], sums.inputs[2]};
    const std::vector<ValueId> diffs(scale.inputs.begin() + several, scale.inputs.end() - !several);
    for (ValueId diff : diffs)
      if (!AllBefore({term}, PlaceIn(groups_[diff], id))) return;
    for (size_t k = 0; k < diffs.size(); ++k)
      groups_[diffs[k]].members.push_back({id, term, several ? Indices(scale)[k] : scale.attributes.Int("index")});
    scaled_[sums.outputs[0]].table = scale.inputs[several ? 0 : 1];
    replaced_[id] = 1;
    if (!several) replaced_[Producer(scaled)] = 1;
  }

  // The gradients of the table by several sums with the same g are one, if one add_n alone reads them.
  void FindTable(NodeId id) {
    const Node& node = graph_.node(id);
    if (!HasApply(node)) return;
    const std::vector<SumTerm> terms = Terms(node);
    Group& group = groups_[node.inputs[0]];
    if (!AllBefore(terms, PlaceIn(group, id))) return;
    if (group.diff_table == ir::kNoValue) {
      group.diff_table = node.outputs[0];
    } else {
      const auto sum = uses_.OnlyReader(node.outputs[0], OpKind::kAddN);
      if (!sum || sum != uses_.OnlyReader(group.diff_table, OpKind::kAddN)) return;
      dropped_.insert(node.outputs[0]);
    }
    replaced_[id] = 1;
    group.terms.insert(group.terms.end(), terms.begin(), terms.end());
    group.indices.insert(group.indices.end(), Indices(node).begin(), Indices(node).end());
  }

  std::vector<SumTerm> Mapped(std::vector<SumTerm> terms) const {
    for (SumTerm& term : terms) {
      term.src = rebuilder_.Map(term.src);
      if (term.mean == ir::kNoValue) continue;
      term.mean = rebuilder_.Map(term.mean), term.variance = rebuilder_.Map(term.variance);
    }
    return terms;
  }

  // One normalized_sum_bwd with the gradient of the table, for the members among its terms, and one for the others.
  void EmitGroup(ValueId diff, const Group& group) {
    const ir::Graph::Scope scope(rebuilder_.graph(), graph_.node(group.place).name);
    if (group.diff_table != ir::kNoValue) EmitTable(diff, group.diff_table, group.terms, group.indices);
    std::vector<SumTerm> terms;
    std::vector<int64_t> indices;
    const auto find = [](const std::vector<SumTerm>& in, const SumTerm& term) {
      return std::ranges::find_if(in, [&](const SumTerm& t) {
        return t.src == term.src && t.mean == term.mean && t.variance == term.variance;
      });
    };
    for (const Member& member : group.members)
      if (find(group.terms, member.term) == group.terms.end() && find(terms, member.term) == terms.end())
        terms.push_back(member.term), indices.push_back(member.index);
    ops::NormalizedSumDiffs rest;
    if (!terms.empty())
      rest = ops::NormalizedSumBwd(rebuilder_.graph(), rebuilder_.Map(diff), Mapped(terms), indices, *epsilon_);
    for (const Member& member : group.members) {
      const auto in_table = find(group.terms, member.term);
      const bool covered = in_table != group.terms.end();
      const auto& gammas = covered ? table_diffs_.gammas : rest.gammas;
      const auto at = covered ? in_table - group.terms.begin() : find(terms, member.term) - terms.begin();
      Scaled& scaled = scaled_.at(graph_.node(member.sums).outputs[0]);
      scaled.diffs.push_back(diff), scaled.indices.push_back(member.index);
      scaled.diff_gammas.push_back(gammas[static_cast<size_t>(at)]);
      scaled.diff_betas.push_back(covered ? table_diffs_.beta : rest.beta);
    }
  }

  void EmitTable(ValueId diff, ValueId diff_table, const std::vector<SumTerm>& terms,
                 const std::vector<int64_t>& indices) {
    const tensor::Shape& shape = graph_.shape(diff_table);
    table_diffs_ = ops::NormalizedSumBwd(rebuilder_.graph(), rebuilder_.Map(diff), Mapped(terms), indices, *epsilon_,
                                         shape[0], shape[1]);
    rebuilder_.Replace(diff_table, table_diffs_.table);
  }

  // False for a node that stays as it is.
  bool Rewrite(const Node& node) {
    ir::Graph& to = rebuilder_.graph();
    const ir::Graph::Scope scope(to, node.name);
    if (node.kind == OpKind::kWeightedSum && HasApply(node)) {
      rebuilder_.Replace(node.outputs[0], ops::NormalizedSum(to, rebuilder_.Map(node.inputs[0]), Mapped(Terms(node)),
                                                             Indices(node), *epsilon_));
      return true;
    }
    if (node.kind == OpKind::kWeightedSumBwdWeights && HasApply(node)) {
      EmitTable(node.inputs[0], node.outputs[0], Terms(node), Indices(node));
      return true;
    }
    if (node.kind == OpKind::kBatchNormBwdData && scaled_.contains(node.inputs[4])) {
      RewriteData(node, scaled_.at(node.inputs[4]));
      return true;
    }
    return node.kind == OpKind::kAddN && ReplaceByRest(rebuilder_, node, dropped_);
  }

  // Of one g, batch_norm_bwd_data takes the weight itself; of several it reads their sum.
  void RewriteData(const Node& node, const Scaled& s) {
    ir::Graph& to = rebuilder_.graph();
    const ValueId table = rebuilder_.Map(s.table);
    const bool one = s.diffs.size() == 1;
    std::vector<ValueId> inputs = {node.inputs[0], node.inputs[1], node.inputs[2], one ? s.diffs[0] : node.inputs[3]};
    for (ValueId& input : inputs) input = rebuilder_.Map(input);
    if (one) {
      inputs.insert(inputs.end(), {s.diff_gammas[0], s.diff_betas[0], table});
    } else {
      inputs.push_back(ops::WeightedSum(to, s.diff_gammas, table, s.indices));
      inputs.push_back(ops::WeightedSum(to, s.diff_betas, table, s.indices));
    }
    const auto attributes = ir::Pack(ops::BatchNormBwdDataAttributes{{*epsilon_}, one ? s.indices[0] : -1});
    rebuilder_.Replace(node.outputs[0], ops::Emit(to, node.kind, attributes, std::move(inputs))[0]);
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::optional<double> epsilon_;
  std::vector<char> replaced_;           // nodes whose work others do
  std::map<ValueId, SumTerm> applies_;   // what an apply becomes in a sum
  std::map<ValueId, Group> groups_;      // by g
  std::set<ValueId> dropped_;            // tables that are in another's
  std::map<ValueId, Scaled> scaled_;     // by the old diff_gamma
  ops::NormalizedSumDiffs table_diffs_;  // of the last EmitTable
};

}  // namespace

ir::Graph FuseNormalizedSums(const ir::Graph& graph) { return Fuser(graph).Run(); }

}  // namespace pdarts::passes
