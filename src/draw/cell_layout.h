// Where the parts of a cell's drawing lie: columns by depth, so that every edge runs from left to right, each operation
// in a box of its own in front of the node it feeds, and a lane kept free wherever an edge passes a column by. No box
// and no label can lie on another, or on an edge.
#pragma once

#include <string>
#include <vector>

#include "draw/svg.h"
#include "search/genotype.h"

namespace pdarts::draw {

struct PlacedState {
  std::string name;  // "c_{k-2}", "c_{k-1}", "0".., "c_{k}"
  Box box;
};

// An edge's operation, and the way of the edge from its source to the box: points of level stretches, joined by
// S-curves.
struct PlacedOperation {
  search::Primitive op{};
  int from = 0, node = 0;  // states: 0, 1 the inputs, 2.. the nodes
  Box box;
  std::vector<Point> way;
};

struct CellLayout {
  double width = 0, height = 0;
  std::vector<PlacedState> states;  // the inputs, the nodes, the output
  std::vector<PlacedOperation> operations;
  std::vector<std::vector<Point>> concat;  // the ways of what the output concatenates
};

// `edges`: two a node, valid (search::Validate). Deterministic.
CellLayout LayOutCell(const std::vector<search::GenotypeEdge>& edges, const std::vector<int>& concat);

}  // namespace pdarts::draw
