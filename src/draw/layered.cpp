#include "draw/layered.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace pdarts::draw {
namespace {

constexpr int kRelaxations = 24;      // sweeps that settle the heights for one order
constexpr int kEvaluations = 12000;   // orders tried at most
constexpr int kStarts = 12;           // starting orders
constexpr double kCrossingCost = 90;  // as bad as so many pixels of climbing

using Orders = std::vector<std::vector<int>>;  // items of each layer from top to bottom

struct Drawing {
  Orders orders;
  LayeredPlaces places;
  double cost = 0;
};

class Placer {
 public:
  explicit Placer(const LayeredGraph& graph) : graph_(graph), incident_(graph.items.size()) {
    for (size_t i = 0; i < graph.links.size(); ++i) {
      incident_[graph.links[i].from].push_back(static_cast<int>(i));
      incident_[graph.links[i].to].push_back(static_cast<int>(i));
    }
  }

  // Sets the heights for the orders and swaps of `drawing`, and what they cost.
  void Settle(Drawing& drawing) const {
    LayeredPlaces& places = drawing.places;
    places.y.assign(graph_.items.size(), 0);
    for (const auto& order : drawing.orders) Stack(order, places);
    const auto layers = static_cast<int>(drawing.orders.size());
    for (int round = 0; round < kRelaxations; ++round)
      for (int i = 0; i < layers; ++i) Relax(drawing.orders[round % 2 ? layers - 1 - i : i], places);
    drawing.cost = Cost(places);
  }

 private:
  double Distance(int above, int below) const {
    return (graph_.items[above].height + graph_.items[below].height) / 2 + kLayeredGap;
  }

  void Stack(const std::vector<int>& order, LayeredPlaces& places) const {
    double y = 0;
    for (size_t i = 1; i < order.size(); ++i) places.y[order[i]] = y += Distance(order[i - 1], order[i]);
    for (int item : order) places.y[item] -= y / 2;
  }

  // Level lanes make calm drawings: they pull harder.
  double Weight(const LayeredLink& link) const {
    return link.weight * (graph_.items[link.from].is_lane ? 2 : 1) * (graph_.items[link.to].is_lane ? 2 : 1);
  }

  // Moves a layer's items to the weighted mean of their neighbours, as near as order and distances allow: weighted
  // isotonic regression of what is left of the heights once the distances are taken out.
  void Relax(const std::vector<int>& order, LayeredPlaces& places) const {
    struct Block {
      double sum, weight;
      size_t count;
    };
    std::vector<Block> blocks;
    std::vector<double> offsets;
    for (size_t i = 0; i < order.size(); ++i) {
      offsets.push_back(i == 0 ? 0 : offsets.back() + Distance(order[i - 1], order[i]));
      double sum = 0, weight = 0;
      for (int index : incident_[order[i]]) {
        const LayeredLink& link = graph_.links[index];
        const double port = places.PortY(graph_, link) - places.y[link.to];
        const double wanted = link.to == order[i] ? places.y[link.from] - port : places.y[link.to] + port;
        sum += Weight(link) * wanted;
        weight += Weight(link);
      }
      if (weight == 0) sum = places.y[order[i]] * 0.01, weight = 0.01;
      blocks.push_back({sum - offsets.back() * weight, weight, 1});
      while (blocks.size() > 1) {
        const Block last = blocks.back();
        Block& before = blocks[blocks.size() - 2];
        if (before.sum / before.weight <= last.sum / last.weight) break;
        before = {before.sum + last.sum, before.weight + last.weight, before.count + last.count};
        blocks.pop_back();
      }
    }
    size_t i = 0;
    for (const Block& block : blocks)
      for (size_t end = i + block.count; i < end; ++i) places.y[order[i]] = block.sum / block.weight + offsets[i];
  }

  double Cost(const LayeredPlaces& places) const {
    double cost = 0, top = 1e9, bottom = -1e9;
    for (size_t a = 0; a < graph_.links.size(); ++a) {
      const LayeredLink& first = graph_.links[a];
      const double from = places.y[first.from], to = places.PortY(graph_, first);
      cost += Weight(first) * std::abs(from - to);
      for (size_t b = a + 1; b < graph_.links.size(); ++b) {
        const LayeredLink& second = graph_.links[b];
        if (graph_.items[first.from].layer != graph_.items[second.from].layer) continue;
        if ((from - places.y[second.from]) * (to - places.PortY(graph_, second)) < -1e-6) cost += kCrossingCost;
      }
    }
    for (size_t i = 0; i < places.y.size(); ++i) {
      top = std::min(top, places.y[i] - graph_.items[i].height / 2);
      bottom = std::max(bottom, places.y[i] + graph_.items[i].height / 2);
    }
    return cost + (bottom - top);
  }

  const LayeredGraph& graph_;
  std::vector<std::vector<int>> incident_;  // links of each item
};

Drawing Start(const LayeredGraph& graph, int number) {
  Drawing drawing;
  drawing.places.swapped.assign(graph.items.size(), false);
  for (size_t i = 0; i < graph.items.size(); ++i) {
    const auto layer = static_cast<size_t>(graph.items[i].layer);
    if (drawing.orders.size() <= layer) drawing.orders.resize(layer + 1);
    drawing.orders[layer].push_back(static_cast<int>(i));
  }
  // The first start keeps the order of the items; the others shuffle all but the first layer.
  uint64_t state = static_cast<uint64_t>(number) * 0x9e3779b97f4a7c15u;
  const auto next = [&state](size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state >> 33) % n);
  };
  for (size_t layer = 1; number > 0 && layer < drawing.orders.size(); ++layer)
    for (size_t i = drawing.orders[layer].size(); i > 1; --i)
      std::swap(drawing.orders[layer][i - 1], drawing.orders[layer][next(i)]);
  return drawing;
}

// One after the other, every swap of two items of a layer and of an item's ports; keeps what is better. True where
// something was.
bool Improve(const Placer& placer, const LayeredGraph& graph, Drawing& best, int& evaluations) {
  bool improved = false;
  const auto attempt = [&](Drawing changed) {
    if (evaluations++ >= kEvaluations) return;
    placer.Settle(changed);
    if (changed.cost < best.cost - 1e-6) best = std::move(changed), improved = true;
  };
  for (size_t item = 0; item < graph.items.size(); ++item) {
    if (graph.items[item].ports.size() < 2) continue;
    Drawing changed = best;
    changed.places.swapped[item] = !changed.places.swapped[item];
    attempt(std::move(changed));
  }
  for (size_t layer = 1; layer < best.orders.size(); ++layer)
    for (size_t i = 0; i < best.orders[layer].size(); ++i)
      for (size_t j = i + 1; j < best.orders[layer].size(); ++j) {
        Drawing changed = best;
        std::swap(changed.orders[layer][i], changed.orders[layer][j]);
        attempt(std::move(changed));
      }
  return improved;
}

}  // namespace

double LayeredPlaces::PortY(const LayeredGraph& graph, const LayeredLink& link) const {
  const std::vector<double>& ports = graph.items[link.to].ports;
  const auto port = static_cast<size_t>(link.port);
  return y[link.to] + ports[swapped[link.to] ? ports.size() - 1 - port : port];
}

LayeredPlaces PlaceLayered(const LayeredGraph& graph) {
  const Placer placer(graph);
  Drawing best;
  int evaluations = 0;
  for (int number = 0; number < kStarts && evaluations < kEvaluations; ++number) {
    Drawing drawing = Start(graph, number);
    placer.Settle(drawing);
    while (Improve(placer, graph, drawing, evaluations)) {
    }
    if (number == 0 || drawing.cost < best.cost - 1e-6) best = std::move(drawing);
  }
  return best.places;
}

}  // namespace pdarts::draw
