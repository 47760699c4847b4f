#include "draw/cell_layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "draw/layered.h"

namespace pdarts::draw {
namespace {

constexpr double kOperationWidth = 106, kOperationHeight = 24, kOperationPitch = 31;
constexpr double kToNode = 34, kNodeSide = 32;  // from an operation's box to its node; the node's diameter
constexpr double kInputWidth = 58, kInputHeight = 32;
constexpr double kLaneHeight = 12;
constexpr double kMargin = 8;

// What the columns hold is a LayeredGraph; this remembers which of its links is which edge.
struct Model {
  LayeredGraph graph;
  std::vector<int> item_of_state;               // the inputs, the nodes, the output
  std::vector<std::vector<int>> edges, concat;  // of each, its links in order
};

// The links of an edge between two items, over a lane in every layer between.
std::vector<int> Connect(LayeredGraph& graph, int from, int to, int port, double weight) {
  std::vector<int> links;
  int at = from;
  for (int layer = graph.items[from].layer + 1; layer < graph.items[to].layer; ++layer) {
    const int lane = graph.AddItem({layer, kLaneHeight, {0}, /*is_lane=*/true});
    links.push_back(graph.AddLink({at, lane, 0, weight}));
    at = lane;
  }
  links.push_back(graph.AddLink({at, to, port, weight}));
  return links;
}

Model Build(const std::vector<search::GenotypeEdge>& edges, const std::vector<int>& concat) {
  Model model;
  LayeredGraph& graph = model.graph;
  std::vector<int> depth = {0, 0};
  for (size_t i = 0; i + 1 < edges.size(); i += 2)
    depth.push_back(
        1 + std::max(depth[static_cast<size_t>(edges[i].input)], depth[static_cast<size_t>(edges[i + 1].input)]));
  const double half = kOperationPitch / 2;
  for (size_t state = 0; state < depth.size(); ++state) {
    if (state < 2)
      model.item_of_state.push_back(graph.AddItem({0, kInputHeight + 16, {0}}));
    else
      model.item_of_state.push_back(graph.AddItem({depth[state], kOperationPitch + kOperationHeight, {-half, half}}));
  }
  const int last = 1 + *std::ranges::max_element(depth);
  model.item_of_state.push_back(graph.AddItem({last, kInputHeight, {0}}));
  for (size_t i = 0; i < edges.size(); ++i)
    model.edges.push_back(Connect(graph, model.item_of_state[static_cast<size_t>(edges[i].input)],
                                  model.item_of_state[2 + i / 2], static_cast<int>(i % 2), 1));
  for (int state : concat)
    model.concat.push_back(
        Connect(graph, model.item_of_state[static_cast<size_t>(state)], model.item_of_state.back(), 0, 0.35));
  return model;
}

// Left and right ends of each layer.
struct Columns {
  std::vector<double> left, right;
};

// A gap is the wider the steeper the edges in it.
Columns PlaceColumns(const LayeredGraph& graph, const LayeredPlaces& places) {
  int last = 0;
  for (const LayeredItem& item : graph.items) last = std::max(last, item.layer);
  std::vector<double> steepest(static_cast<size_t>(last) + 1, 0);
  for (const LayeredLink& link : graph.links) {
    double& most = steepest[static_cast<size_t>(graph.items[link.from].layer)];
    most = std::max(most, std::abs(places.y[link.from] - places.PortY(graph, link)));
  }
  Columns columns;
  double x = kMargin;
  for (int layer = 0; layer <= last; ++layer) {
    const double width = layer == 0 || layer == last ? kInputWidth : kOperationWidth + kToNode + kNodeSide;
    columns.left.push_back(x);
    columns.right.push_back(x + width);
    x += width + std::clamp(34 + 0.28 * steepest[static_cast<size_t>(layer)], 44.0, 84.0);
  }
  return columns;
}

// The points of an edge: out of its source, level through every lane, into its target.
std::vector<Point> WayOf(const Model& model, const LayeredPlaces& places, const Columns& columns,
                         const std::vector<int>& links) {
  std::vector<Point> way;
  for (int index : links) {
    const LayeredLink& link = model.graph.links[index];
    const size_t from = static_cast<size_t>(model.graph.items[link.from].layer);
    way.push_back({columns.right[from], places.y[link.from]});
    way.push_back({columns.left[from + 1], places.PortY(model.graph, link)});
  }
  return way;
}

}  // namespace

CellLayout LayOutCell(const std::vector<search::GenotypeEdge>& edges, const std::vector<int>& concat) {
  const Model model = Build(edges, concat);
  LayeredPlaces places = PlaceLayered(model.graph);
  double top = 1e9, bottom = -1e9;
  for (size_t i = 0; i < places.y.size(); ++i) {
    top = std::min(top, places.y[i] - model.graph.items[i].height / 2);
    bottom = std::max(bottom, places.y[i] + model.graph.items[i].height / 2);
  }
  for (double& y : places.y) y = std::round(y + kMargin - top);
  const Columns columns = PlaceColumns(model.graph, places);

  CellLayout layout{columns.right.back() + kMargin, std::round(bottom - top) + 2 * kMargin, {}, {}, {}};
  for (size_t state = 0; state < model.item_of_state.size(); ++state) {
    const int item = model.item_of_state[state];
    const auto layer = static_cast<size_t>(model.graph.items[item].layer);
    const double y = places.y[item];
    const bool node = state >= 2 && state + 1 < model.item_of_state.size();
    const char* names[] = {"c_{k-2}", "c_{k-1}"};
    if (node)
      layout.states.push_back(
          {std::to_string(state - 2), {columns.right[layer] - kNodeSide, y - kNodeSide / 2, kNodeSide, kNodeSide}});
    else
      layout.states.push_back(
          {state < 2 ? names[state] : "c_{k}", {columns.left[layer], y - kInputHeight / 2, kInputWidth, kInputHeight}});
  }
  for (size_t i = 0; i < edges.size(); ++i) {
    std::vector<Point> way = WayOf(model, places, columns, model.edges[i]);
    const Box box{way.back().x, way.back().y - kOperationHeight / 2, kOperationWidth, kOperationHeight};
    layout.operations.push_back({edges[i].op, edges[i].input, static_cast<int>(2 + i / 2), box, std::move(way)});
  }
  for (const std::vector<int>& links : model.concat) layout.concat.push_back(WayOf(model, places, columns, links));
  return layout;
}

}  // namespace pdarts::draw
