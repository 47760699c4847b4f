// A sum of sums becomes one, a sum of weighted values one weighted_sum; and a subsample_bwd that is a term takes the
// rest of the sum as its own further term, as it adds to a quarter of the pixels only and can do so in place.
#include <algorithm>

#include "ops/ops.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"

namespace pdarts::passes {
namespace {

using ir::OpKind;
using ir::ValueId;

class Merger {
 public:
  explicit Merger(const ir::Graph& graph) : graph_(graph), rebuilder_(graph), uses_(CountUses(graph)) {}

  ir::Graph Run() {
    for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(graph_.nodes().size()); ++id)
      if (graph_.node(id).kind != OpKind::kAddN || !Merge(graph_.node(id))) rebuilder_.Copy(id);
    return rebuilder_.Finish();
  }

 private:
  const ir::Node& Producer(ValueId value) const { return graph_.node(graph_.value(value).producer); }

  // The terms of an add_n, those of inner ones in their place. Of the old graph.
  void Flatten(const ir::Node& node, std::vector<ValueId>& terms) const {
    for (ValueId input : node.inputs) {
      if (Producer(input).kind == OpKind::kAddN && uses_[input] == 1)
        Flatten(Producer(input), terms);
      else
        terms.push_back(input);
    }
  }

  // Appends the weighted values and indices of a term, if it is a sum over `table` (kNoValue: sets it) that nobody else
  // reads.
  bool AppendWeighted(ValueId term, ValueId& table, std::vector<ValueId>& srcs, std::vector<int64_t>& indices) const {
    const ir::Node& node = Producer(term);
    const bool scaled = node.kind == OpKind::kScaleByWeight;
    if (uses_[term] != 1 || (node.kind != OpKind::kWeightedSum && !scaled)) return false;
    const ValueId its_table = node.inputs[scaled ? 1 : 0];
    if (table == ir::kNoValue) table = its_table;
    if (its_table != table) return false;
    if (scaled) {
      srcs.push_back(node.inputs[0]);
      indices.push_back(node.attributes.Int("index"));
      return true;
    }
    const auto& its_indices = std::get<std::vector<int64_t>>(node.attributes.Get("indices"));
    srcs.insert(srcs.end(), node.inputs.begin() + 1, node.inputs.end());
    indices.insert(indices.end(), its_indices.begin(), its_indices.end());
    return true;
  }

  bool Merge(const ir::Node& node) {
    std::vector<ValueId> terms;
    Flatten(node, terms);
    ValueId table = ir::kNoValue;
    std::vector<ValueId> srcs;
    std::vector<int64_t> indices;
    const bool weighted =
        std::ranges::all_of(terms, [&](ValueId t) { return AppendWeighted(t, table, srcs, indices); });
    const std::vector<ValueId> scattered = TakeScattered(terms);
    if (!weighted && scattered.empty() && terms.size() == node.inputs.size()) return false;

    for (ValueId& value : weighted ? srcs : terms) value = rebuilder_.Map(value);
    ir::Graph& to = rebuilder_.graph();
    const ir::Graph::Scope scope(to, node.name);
    ValueId sum = weighted ? ops::WeightedSum(to, srcs, rebuilder_.Map(table), indices) : ops::AddN(to, terms);
    for (ValueId term : scattered) {
      const ir::Node& scatter = Producer(term);
      sum = ops::SubsampleBwd(to, rebuilder_.Map(scatter.inputs[0]), sum,
                              ir::Unpack<ops::SubsampleBwdAttributes>(scatter.attributes));
    }
    rebuilder_.Replace(node.outputs[0], sum);
    return true;
  }

  // Takes the terms by subsample_bwd alone out of the sum, unless they are all of it.
  std::vector<ValueId> TakeScattered(std::vector<ValueId>& terms) const {
    const auto is_scattered = [&](ValueId term) {
      const ir::Node& node = Producer(term);
      return node.kind == OpKind::kSubsampleBwd && node.inputs.size() == 1 && uses_[term] == 1;
    };
    std::vector<ValueId> scattered;
    std::ranges::copy_if(terms, std::back_inserter(scattered), is_scattered);
    if (scattered.size() == terms.size()) return {};
    std::erase_if(terms, is_scattered);
    return scattered;
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  std::vector<int> uses_;
};

}  // namespace

ir::Graph MergeSums(const ir::Graph& graph) { return Merger(graph).Run(); }

}  // namespace pdarts::passes
