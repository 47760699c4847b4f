// The sums of a cell that is trained for itself are over batch norms with affine parameters, each dropped by samples.
// Forward: add_n of scale_samples of batch_norm_apply becomes path_sum, which reads what the applies read, so that
// these tensors need not exist. Backward: what one gradient g of such a sum gives to its terms, scale_samples(g) and
// batch_norm_bwd_sums of it, becomes one path_sum_bwd; separable_bwd then reads g and multiplies its samples itself.
#include <map>
#include <optional>

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
using ops::PathTerm;

// A gradient as it is, or what is left of it by samples. Values are of the old graph.
struct Scaled {
  ValueId diff, factors = ir::kNoValue;
};

// A batch norm whose backward reads g.
struct Member {
  NodeId sums;  // its batch_norm_bwd_sums
  PathTerm term;
};

class PathSummer {
 public:
  explicit PathSummer(const ir::Graph& graph)
      : graph_(graph), rebuilder_(graph), uses_(graph), replaced_(graph.nodes().size()) {}

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id)
      if (uses_.Live(id) && graph_.node(id).kind == OpKind::kBatchNormBwdSums) FindMember(id);
    std::map<NodeId, ValueId> places;
    for (const auto& [diff, members] : groups_)
      if (Worthwhile(members)) Take(diff, members, places);
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (const auto place = places.find(id); place != places.end()) EmitGroup(place->second);
      if (uses_.Live(id) && replaced_[id] == 0 && !Rewrite(graph_.node(id))) rebuilder_.Copy(id);
    }
    return DeadCode(rebuilder_.Finish());
  }

 private:
  const Node& Producer(ValueId value) const { return graph_.node(graph_.value(value).producer); }

  Scaled ScaledOf(ValueId value) const {
    const Node& scale = Producer(value);
    return scale.kind == OpKind::kScaleSamples ? Scaled{scale.inputs[0], scale.inputs[1]} : Scaled{value};
  }

  // Calls visit(input of diff_dst, branch) for each branch of a separable_bwd.
  template <class F>
  static void ForBranches(const ops::SeparableBwdAttributes& a, const F& visit) {
    size_t next = a.source_inputs();
    for (size_t b = 0; b < a.branches(); next += a.branch_inputs(b++)) visit(next + a.diff_dst_of(b), b);
  }

  // Whether a separable_bwd reads the value as nothing but a branch's diff_dst. Otherwise it must exist anyway, and
  // nothing would be gained.
  static bool OnlyDiffDst(const Node& node, ValueId value) {
    if (node.kind != OpKind::kSeparableBwd) return false;
    std::ptrdiff_t found = 0;
    ForBranches(ir::Unpack<ops::SeparableBwdAttributes>(node.attributes),
                [&](size_t input, size_t) { found += node.inputs[input] == value; });
    return found == std::ranges::count(node.inputs, value);
  }

  void FindMember(NodeId id) {
    const Node& sums = graph_.node(id);
    const ValueId diff = sums.inputs[3];
    const Scaled scaled = ScaledOf(diff);
    const bool alone =
        uses_.ReadOnlyBy(diff, [&](const Node& node) { return &node == &sums || OnlyDiffDst(node, diff); });
    if (scaled.factors != ir::kNoValue && !alone) return;
    auto& members = groups_[scaled.diff];
    if (!members.empty() && Epsilon(graph_.node(members[0].sums)) != Epsilon(sums)) return;
    const PathTerm term{
        .src = sums.inputs[0], .mean = sums.inputs[1], .variance = sums.inputs[2], .factors = scaled.factors};
    const NodeId place = members.empty() ? id : members[0].sums;
    for (ValueId value : {term.src, term.mean, term.variance, term.factors})
      if (value != ir::kNoValue && graph_.value(value).producer >= place) return;
    members.push_back({id, term});
  }

  // One batch norm's sums of the whole g are as well where they are.
  static bool Worthwhile(const std::vector<Member>& members) {
    return members.size() > 1 || (!members.empty() && members[0].term.factors != ir::kNoValue);
  }

  void Take(ValueId diff, const std::vector<Member>& members, std::map<NodeId, ValueId>& places) {
    places[members[0].sums] = diff;
    for (const Member& member : members) {
      replaced_[member.sums] = 1;
      if (member.term.factors != ir::kNoValue)
        scaled_[graph_.node(member.sums).inputs[3]] = {diff, member.term.factors};
    }
  }

  PathTerm Mapped(PathTerm term) const {
    for (ValueId* value : {&term.src, &term.mean, &term.variance, &term.gamma, &term.beta, &term.factors})
      if (*value != ir::kNoValue) *value = rebuilder_.Map(*value);
    return term;
  }

  void EmitGroup(ValueId diff) {
    const std::vector<Member>& members = groups_.at(diff);
    const Node& first = graph_.node(members[0].sums);
    const ir::Graph::Scope scope(rebuilder_.graph(), first.name);
    std::vector<PathTerm> terms;
    for (const Member& member : members) terms.push_back(Mapped(member.term));
    const auto diffs = ops::PathSumBwd(rebuilder_.graph(), rebuilder_.Map(diff), terms, Epsilon(first));
    for (size_t k = 0; k < members.size(); ++k) {
      const Node& sums = graph_.node(members[k].sums);
      rebuilder_.Replace(sums.outputs[0], diffs.gammas[k]);
      rebuilder_.Replace(sums.outputs[1], diffs.betas[k]);
    }
  }

  // False for a node that stays as it is.
  bool Rewrite(const Node& node) {
    if (node.kind == OpKind::kAddN) return RewriteSum(node);
    return node.kind == OpKind::kSeparableBwd && RewriteSeparable(node);
  }

  PathTerm TermOf(ValueId value) const {
    if (!uses_.ReadOnce(value)) return {value};
    const Scaled scaled = ScaledOf(value);
    const bool inner = scaled.factors == ir::kNoValue || uses_.ReadOnce(scaled.diff);
    const Node& apply = Producer(scaled.diff);
    if (!inner || apply.kind != OpKind::kBatchNormApply) return {.src = scaled.diff, .factors = scaled.factors};
    PathTerm term{apply.inputs[0], apply.inputs[1], apply.inputs[2]};
    if (apply.inputs.size() == 5) term.gamma = apply.inputs[3], term.beta = apply.inputs[4];
    term.factors = scaled.factors;
    return term;
  }

  bool RewriteSum(const Node& sum) {
    std::optional<double> epsilon;
    std::vector<PathTerm> terms;
    for (ValueId value : sum.inputs) {
      PathTerm term = TermOf(value);
      if (term.mean != ir::kNoValue) {
        const double own = Epsilon(Producer(ScaledOf(value).diff));
        if (own != epsilon.value_or(own)) return false;
        epsilon = own;
      }
      terms.push_back(Mapped(term));
    }
    if (!epsilon) return false;
    const ir::Graph::Scope scope(rebuilder_.graph(), sum.name);
    rebuilder_.Replace(sum.outputs[0], ops::PathSum(rebuilder_.graph(), terms, *epsilon));
    return true;
  }

  bool RewriteSeparable(const Node& node) {
    auto a = ir::Unpack<ops::SeparableBwdAttributes>(node.attributes);
    std::vector<int64_t> paths(a.branches());
    std::vector<ValueId> inputs(node.inputs.begin(),
                                node.inputs.begin() + static_cast<std::ptrdiff_t>(a.source_inputs()));
    ForBranches(a, [&](size_t diff_dst, size_t b) {
      const auto first = node.inputs.begin() + static_cast<std::ptrdiff_t>(diff_dst - a.diff_dst_of(b));
      inputs.insert(inputs.end(), first, first + static_cast<std::ptrdiff_t>(a.branch_inputs(b)));
      const auto scaled = scaled_.find(node.inputs[diff_dst]);
      if (scaled == scaled_.end()) return;
      paths[b] = 1;
      inputs[inputs.size() - a.branch_inputs(b) + a.diff_dst_of(b)] = scaled->second.diff;
      inputs.push_back(scaled->second.factors);
    });
    if (std::ranges::count(paths, 0) == static_cast<std::ptrdiff_t>(paths.size()) || !a.paths.empty())
      return false;  // one that drops samples already stays as it is
    a.paths = paths;
    for (ValueId& input : inputs) input = rebuilder_.Map(input);
    const ir::Graph::Scope scope(rebuilder_.graph(), node.name);
    const auto outputs = ops::SeparableBwd(rebuilder_.graph(), std::move(inputs), a);
    for (size_t i = 0; i < outputs.size(); ++i) rebuilder_.Replace(node.outputs[i], outputs[i]);
    return true;
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::vector<char> replaced_;                     // nodes whose work others do
  std::map<ValueId, std::vector<Member>> groups_;  // by g
  std::map<ValueId, Scaled> scaled_;               // what a scale_samples makes of g, by its result
};

}  // namespace

ir::Graph SumPaths(const ir::Graph& graph) { return PathSummer(graph).Run(); }

}  // namespace pdarts::passes
