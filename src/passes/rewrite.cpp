#include "passes/rewrite.h"

#include <algorithm>
#include <chrono>

#include "passes/rebuild.h"

namespace pdarts::passes {

std::span<const Rewrite> Rewrites() {
  static constexpr Rewrite kRewrites[] = {{"fold_zero", FoldZero},
                                          {"merge_sums", MergeSums},
                                          {"fuse_normalized_sums", FuseNormalizedSums},
                                          {"drop_in_sums", DropInSums},
                                          {"fuse_separable", FuseSeparable},
                                          {"group_separable", GroupSeparable},
                                          {"bypass_concat", BypassConcat},
                                          {"sum_paths", SumPaths},
                                          {"weigh_dropout", WeighDropout},
                                          {"fuse_pool_norms", FusePoolNorms},
                                          {"dead_code", DeadCode}};
  return kRewrites;
}

std::vector<std::string> RewriteNames() {
  std::vector<std::string> names;
  for (const Rewrite& rewrite : Rewrites()) names.push_back(rewrite.name);
  return names;
}

void CheckNames(const std::vector<std::string>& disabled) {
  const std::vector<std::string> names = RewriteNames();
  for (const std::string& name : disabled) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw base::UsageError(fmt::format("no pass is named '{}'", name), "--disable-pass",
                           fmt::format("the passes are {}", fmt::join(names, ", ")));
  }
}

ir::Graph RunRewrites(const ir::Graph& graph, const std::vector<std::string>& disabled, std::vector<PassTime>& times) {
  CheckNames(disabled);
  ir::Graph result = graph;
  for (const Rewrite& rewrite : Rewrites()) {
    if (std::ranges::find(disabled, rewrite.name) != disabled.end()) continue;
    const auto start = std::chrono::steady_clock::now();
    result = rewrite.function(result);
    ir::Verify(result);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    times.push_back({rewrite.name, taken.count(), result.nodes().size()});
  }
  return result;
}

ir::Graph DeadCode(const ir::Graph& graph) {
  const std::vector<char> live = LiveNodes(graph);
  Rebuilder rebuilder(graph);
  for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(graph.nodes().size()); ++id)
    if (live[id]) rebuilder.Copy(id);
  return rebuilder.Finish();
}

}  // namespace pdarts::passes
