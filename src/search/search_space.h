// The space of cells that is searched (paper, section 3.1): 14 edges between two inputs and four nodes, eight
// primitives an edge.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pdarts::search {

// In the published order, which decides ties and the columns of alphas. The last two appear in evaluation cells only.
enum class Primitive : uint8_t {
  kNone,
  kMaxPool3x3,
  kAvgPool3x3,
  kSkipConnect,
  kSepConv3x3,
  kSepConv5x5,
  kDilConv3x3,
  kDilConv5x5,
  kSepConv7x7,
  kConv7x1And1x7,
};
inline constexpr int kSearchPrimitives = 8;
inline constexpr int kAllPrimitives = 10;

const char* Name(Primitive primitive);  // "none", "max_pool_3x3", ...

// Sets `primitive` and returns true where the name is one of the ten.
bool ParsePrimitive(std::string_view name, Primitive* primitive);
std::vector<std::string> PrimitiveNames();

// An edge from a cell's input (0 = c_{k-2}, 1 = c_{k-1}) or earlier node (2..4) to node 2..5.
struct Edge {
  int from = 0, to = 0;
};
inline constexpr int kCellInputs = 2, kCellNodes = 4, kEdges = 14;
inline constexpr std::array<Edge, kEdges> kEdgeList = {
    {{0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}, {0, 4}, {1, 4}, {2, 4}, {3, 4}, {0, 5}, {1, 5}, {2, 5}, {3, 5}, {4, 5}}};

// Of each edge, the primitives still present, in the order of Primitive.
using EdgeSwitches = std::array<std::vector<Primitive>, kEdges>;

struct Switches {
  EdgeSwitches normal, reduce;

  static Switches All();  // all eight on every edge
  bool operator==(const Switches&) const = default;
};

// Architecture parameters: one row an edge, one column an operation still present there.
using EdgeAlphas = std::vector<std::vector<double>>;

struct Alphas {
  EdgeAlphas normal, reduce;
};

}  // namespace pdarts::search
