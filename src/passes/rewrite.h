// The rewrites: functions from a graph to a better one that computes the same. Each can be disabled by its name.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace pdarts::passes {

// Zeros among the terms of a sum are dropped, and what is computed linearly from zeros only is zeros.
ir::Graph FoldZero(const ir::Graph& graph);
// A sum of sums becomes one sum where nobody else reads the inner one: add_n in add_n, and an add_n of weighted sums
// (or weighted values) over the same table. The terms keep their order, but for subsample_bwd: it comes last and adds
// to the rest itself. Rounding may differ in the last bits.
ir::Graph MergeSums(const ir::Graph& graph);
// Weighted sums of batch norms without affine parameters read what is normalised, and one node gathers the sums that
// their backward needs. No such apply and no scaled gradient is left, but where something else reads it.
ir::Graph FuseNormalizedSums(const ir::Graph& graph);
// Such a sum drops a term itself where sums alone read the dropped tensor.
ir::Graph DropInSums(const ir::Graph& graph);
// relu, depthwise, 1x1 and the statistics of its result, if it has any, become one node, and their gradients another,
// where nobody else reads what lies between; so does the batch norm before the relu.
ir::Graph FuseSeparable(const ir::Graph& graph);
// Those that read the same tensor become one node, and so do their gradients, where they are only added up: it gives
// the sum, and masks it where nothing but a relu_bwd reads that.
ir::Graph GroupSeparable(const ir::Graph& graph);
// Such nodes read the parts of a concat that nothing else reads, and give each part its own gradient.
ir::Graph BypassConcat(const ir::Graph& graph);
// Batch norms, what drop path leaves of them, and their sum become one node, and so do the sums that their backward
// needs; separable_bwd drops the samples of its gradients itself. After GroupSeparable, which knows no such nodes.
ir::Graph SumPaths(const ir::Graph& graph);
// dropout of scale_by_weight becomes one node.
ir::Graph WeighDropout(const ir::Graph& graph);
// The pools of one tensor and the statistics behind them become one node, and so do their gradients, with the sums of
// what reaches them and of what else is added to theirs, and batch_norm_bwd_sums where a batch norm made the tensor.
ir::Graph FusePoolNorms(const ir::Graph& graph);
// Drops what no assignment and no output needs.
ir::Graph DeadCode(const ir::Graph& graph);

struct Rewrite {
  const char* name;
  ir::Graph (*function)(const ir::Graph&);
};
std::span<const Rewrite> Rewrites();                        // in the order they run
std::vector<std::string> RewriteNames();                    // theirs
void CheckNames(const std::vector<std::string>& disabled);  // a usage error names what is no rewrite

struct PassTime {
  std::string name;
  double seconds = 0;
  size_t nodes = 0;  // of the graph after the pass
};

// Runs all rewrites but the disabled ones, verifies the graph after each, and appends a PassTime for each. Throws a
// usage error where `disabled` holds a name that no rewrite has.
ir::Graph RunRewrites(const ir::Graph& graph, const std::vector<std::string>& disabled, std::vector<PassTime>& times);

}  // namespace pdarts::passes
