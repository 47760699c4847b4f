// Copies a graph node by node, so that a rewrite only says what becomes different.
#pragma once

#include <algorithm>
#include <optional>
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

// Of a batch normalisation's node.
double Epsilon(const ir::Node& node);

// Which nodes an assignment or output needs, by node.
std::vector<char> LiveNodes(const ir::Graph& graph);

// The live nodes that read each value, one for each time.
std::vector<std::vector<ir::NodeId>> FindReaders(const ir::Graph& graph);

// How many live nodes, assignments and outputs read each value.
std::vector<int> CountUses(const ir::Graph& graph);

// Who reads what. A value that an assignment or output reads is read by more than its readers.
class Uses {
 public:
  explicit Uses(const ir::Graph& graph);

  ir::NodeId Nodes() const { return static_cast<ir::NodeId>(live_.size()); }
  bool Live(ir::NodeId id) const { return live_[id] != 0; }
  const std::vector<ir::NodeId>& Readers(ir::ValueId value) const { return readers_[value]; }  // as FindReaders
  bool ReadOnce(ir::ValueId value) const { return counts_[value] == 1 && readers_[value].size() == 1; }
  // Whether nodes for which `fits` holds are all that reads a value.
  template <class F>
  bool ReadOnlyBy(ir::ValueId value, F&& fits) const {
    return counts_[value] == static_cast<int>(readers_[value].size()) &&
           std::ranges::all_of(readers_[value], [&](ir::NodeId id) { return fits(graph_.node(id)); });
  }
  // The first reader of this kind; the node of this kind that alone reads a value, once.
  std::optional<ir::NodeId> Reader(ir::ValueId value, ir::OpKind kind) const;
  std::optional<ir::NodeId> OnlyReader(ir::ValueId value, ir::OpKind kind) const;

 private:
  const ir::Graph& graph_;
  std::vector<char> live_;
  std::vector<int> counts_;
  std::vector<std::vector<ir::NodeId>> readers_;
};

}  // namespace pdarts::passes
