// Copies a graph node by node, so that a rewrite only says what becomes different.
#pragma once

#include <set>
#include <vector>

#include "ir/graph.h"

namespace pdarts::passes {

class Rebuilder {
 public:
  // Starts with all slots of `from`, under the same numbers.
  explicit Rebuilder(const ir::Graph& from);

  ir::Graph& graph() { return to_; }
  // The new value that stands for an old one; the old one's node must have been copied or replaced already.
  ir::ValueId Map(ir::ValueId old) const;
  std::vector<ir::ValueId> MapInputs(const ir::Node& node) const;

  void Copy(ir::NodeId node);                            // as it is, with mapped inputs
  void Replace(ir::ValueId old, ir::ValueId new_value);  // a value of the new graph takes the old one's place

  // Adds the mapped assignments and outputs, and hands the graph out.
  ir::Graph Finish();

 private:
  const ir::Graph& from_;
  ir::Graph to_;
  std::vector<ir::ValueId> map_;
};

// In place of an add_n, the sum of its terms that are not among `dropped`. False, and nothing is done, where all are
// kept.
bool ReplaceByRest(Rebuilder& rebuilder, const ir::Node& sum, const std::set<ir::ValueId>& dropped);

// Which nodes an assignment or output needs, by node.
std::vector<char> LiveNodes(const ir::Graph& graph);

// The live nodes that read each value, one for each time.
std::vector<std::vector<ir::NodeId>> FindReaders(const ir::Graph& graph);

// How many live nodes, assignments and outputs read each value.
std::vector<int> CountUses(const ir::Graph& graph);

}  // namespace pdarts::passes
