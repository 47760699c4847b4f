// The vertical places of a graph that is drawn in layers from left to right: few crossings, short and level links, no
// overlap.
#pragma once

#include <vector>

namespace pdarts::draw {

struct LayeredItem {
  int layer = 0;
  double height = 0;
  std::vector<double> ports;  // where links arrive, relative to the middle; may be swapped end for end. Links leave
                              // from the middle
  bool is_lane = false;       // only lets one link pass
};

struct LayeredLink {
  int from = 0, to = 0;  // items of two layers next to each other
  int port = 0;          // of `to`
  double weight = 1;     // how much it pulls
};

struct LayeredGraph {
  std::vector<LayeredItem> items;
  std::vector<LayeredLink> links;

  int AddItem(LayeredItem item) {
    items.push_back(std::move(item));
    return static_cast<int>(items.size()) - 1;
  }
  int AddLink(LayeredLink link) {
    links.push_back(link);
    return static_cast<int>(links.size()) - 1;
  }
};

struct LayeredPlaces {
  std::vector<double> y;      // of each item's middle; the items of a layer lie at least kLayeredGap apart
  std::vector<bool> swapped;  // items whose ports are swapped
  double PortY(const LayeredGraph& graph, const LayeredLink& link) const;
};

inline constexpr double kLayeredGap = 12;

// A hill climb over the orders within the layers from a few starting orders, with a bound on its steps; the same every
// time.
LayeredPlaces PlaceLayered(const LayeredGraph& graph);

}  // namespace pdarts::draw
