#include <fmt/format.h>

#include <algorithm>

#include "draw/axis.h"
#include "draw/curves.h"
#include "draw/palette.h"
#include "draw/stages.h"

namespace pdarts::draw {
namespace {

using search::Primitive;

constexpr double kPanelWidth = 172, kPanelHeight = 86, kGapX = 14, kGapY = 26;
constexpr double kSide = 28, kRowNames = 66, kTop = 92, kBottom = 20;
constexpr int kSources = search::kCellInputs + search::kCellNodes - 1;  // no edge leaves the last node
constexpr double kWidth = 2 * kSide + kRowNames + kSources * kPanelWidth + (kSources - 1) * kGapX;
constexpr double kHeight = kTop + search::kCellNodes * kPanelHeight + (search::kCellNodes - 1) * kGapY + kBottom;

std::string NameOf(int state) {
  if (state < search::kCellInputs) return state == 0 ? "c_{k-2}" : "c_{k-1}";
  return fmt::format("node {}", state - search::kCellInputs);
}

Box PanelOf(const search::Edge& edge) {
  return {kSide + kRowNames + edge.from * (kPanelWidth + kGapX),
          kTop + (edge.to - search::kCellInputs) * (kPanelHeight + kGapY), kPanelWidth, kPanelHeight};
}

// The weight of an operation on an edge, below 0 where it is gone.
double WeightOf(const EdgeEpoch& epoch, size_t edge, Primitive op) {
  const auto& ops = epoch.switches[edge];
  const auto found = std::ranges::find(ops, op);
  return found == ops.end() ? -1 : epoch.weights[edge][static_cast<size_t>(found - ops.begin())];
}

void DrawLine(Svg& svg, const std::vector<EdgeEpoch>& epochs, size_t edge, Primitive op, const Axis& x, const Axis& y) {
  std::vector<std::optional<Point>> points(epochs.size());
  std::vector<int> stages;
  for (size_t i = 0; i < epochs.size(); ++i) {
    const double weight = WeightOf(epochs[i], edge, op);
    if (weight >= 0) points[i] = {x.At(static_cast<double>(i)), y.At(weight)};
    stages.push_back(epochs[i].stage);
  }
  DrawStages(svg, points, stages, "line", 2);
}

struct Scale {
  Axis x, y;  // pixels from the panel's corner
};

void DrawEdge(Svg& svg, const std::vector<EdgeEpoch>& epochs, size_t edge, const Scale& scale,
              const search::GenotypeEdge* chosen) {
  const Box box = PanelOf(search::kEdgeList[edge]);
  Axis x = scale.x, y = scale.y;
  x.from += box.x, x.to += box.x, y.from += box.y, y.to += box.y;
  svg.Rect(box, 6, "panel");
  for (size_t i = 1; i < epochs.size(); ++i) {
    if (epochs[i].stage == epochs[i - 1].stage) continue;
    const double at = x.At(static_cast<double>(i) - 0.5);
    svg.Line({at, box.y}, {at, box.bottom()}, "apart");
  }
  for (int op = 0; op < search::kSearchPrimitives; ++op) {
    const auto primitive = static_cast<Primitive>(op);
    svg.Group(ClassOf(primitive));
    DrawLine(svg, epochs, edge, primitive, x, y);
    svg.EndGroup();
  }
  if (chosen == nullptr) return;
  svg.Group(ClassOf(chosen->op));
  svg.Rect(box, 6, "frame");
  svg.EndGroup();
  svg.Text({box.x + 2, box.y - 6}, search::Name(chosen->op), "small soft");
}

// In the corner that no edge fills.
void DrawLegend(Svg& svg) {
  const Box corner = PanelOf({2, 2});
  svg.Text({corner.x + 8, corner.y - 20}, "softmax weight of", "small faint");
  for (int op = 0; op < search::kSearchPrimitives; ++op) {
    const auto primitive = static_cast<Primitive>(op);
    const double x = corner.x + 8 + (op / 3) * 150, y = corner.y + 4 + (op % 3) * 20;
    svg.Group(ClassOf(primitive));
    svg.Line({x, y - 4}, {x + 18, y - 4}, "line");
    svg.EndGroup();
    svg.Text({x + 26, y}, search::Name(primitive), "label ink");
  }
}

void DrawNames(Svg& svg, const Axis& y) {
  for (int from = 0; from < kSources; ++from) {
    const Box box = PanelOf({from, std::max(from + 1, search::kCellInputs)});
    svg.Subscripted({box.middle().x, (from < search::kCellInputs ? kTop : box.y) - 24}, "from " + NameOf(from),
                    "label soft", Anchor::kMiddle);
  }
  for (int to = search::kCellInputs; to < search::kCellInputs + search::kCellNodes; ++to) {
    const Box box = PanelOf({0, to});
    svg.Text({kSide, box.middle().y + 4}, NameOf(to), "label soft");
    for (double value : {y.low, y.high})
      svg.Text({box.x - 6, box.y + y.At(value) + 4}, fmt::format("{:.2g}", value), "small faint", Anchor::kEnd);
  }
}

}  // namespace

std::string DrawAlphas(const std::vector<EdgeEpoch>& epochs, const std::string& title,
                       const std::vector<search::GenotypeEdge>& chosen) {
  if (epochs.empty()) return "";
  double most = 0;
  for (const EdgeEpoch& epoch : epochs)
    for (const auto& row : epoch.weights)
      for (double weight : row) most = std::max(most, weight);
  const double last = std::max<double>(1, static_cast<double>(epochs.size()) - 1);
  const Scale scale{{0, last, 8, kPanelWidth - 8}, NiceAxis(0, most, kPanelHeight - 6, 6)};
  std::vector<Primitive> ops;
  for (int op = 0; op < search::kSearchPrimitives; ++op) ops.push_back(static_cast<Primitive>(op));

  const char* root = "pdarts-alphas";
  Svg svg(Svg::Use::kFile, {kWidth, kHeight}, root, title);
  svg.Style(StyleOf(root, ops));
  svg.Rect({0, 0, kWidth, kHeight}, 14, "paper");
  svg.Text({kSide, 36}, title, "title ink");
  DrawNames(svg, scale.y);
  DrawLegend(svg);
  for (size_t edge = 0; edge < search::kEdgeList.size(); ++edge) {
    const search::GenotypeEdge* found = nullptr;
    for (size_t i = 0; i < chosen.size(); ++i)
      if (chosen[i].input == search::kEdgeList[edge].from &&
          static_cast<int>(i / 2) + search::kCellInputs == search::kEdgeList[edge].to)
        found = &chosen[i];
    DrawEdge(svg, epochs, edge, scale, found);
  }
  return svg.Finish();
}

}  // namespace pdarts::draw
