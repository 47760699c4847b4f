#include <fmt/format.h>

#include <algorithm>

#include "draw/axis.h"
#include "draw/curves.h"
#include "draw/palette.h"
#include "draw/stages.h"

namespace pdarts::draw {
namespace {

constexpr double kWidth = 880, kHeight = 300, kTop = 78, kBottom = 40, kSide = 28, kTicks = 40, kBetween = 40;

using Value = std::optional<double>;

struct Panel {
  Axis x, y;
  Box box;
};

void DrawValues(Svg& svg, const Panel& panel, const std::vector<EpochPoint>& epochs, const std::vector<Value>& values) {
  std::vector<std::optional<Point>> points(values.size());
  std::vector<int> stages;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]) points[i] = {panel.x.At(static_cast<double>(i)), panel.y.At(*values[i])};
    stages.push_back(epochs[i].stage);
  }
  DrawStages(svg, points, stages, "line", 2.2);
}

void DrawFrame(Svg& svg, const Panel& panel, const std::vector<EpochPoint>& epochs, const std::string& title) {
  const Box& box = panel.box;
  svg.Text({box.x, box.y - 12}, title, "label soft");
  for (double tick : Ticks(panel.y)) {
    const double y = panel.y.At(tick);
    svg.Line({box.x, y}, {box.right(), y}, "grid");
    svg.Text({box.x - 7, y + 4}, fmt::format("{:.4g}", tick), "small faint", Anchor::kEnd);
  }
  size_t begin = 0;
  for (size_t i = 1; i <= epochs.size(); ++i) {
    if (i < epochs.size() && epochs[i].stage == epochs[begin].stage) continue;
    const double middle = panel.x.At((static_cast<double>(begin) + static_cast<double>(i) - 1) / 2);
    if (epochs[begin].stage > 0)
      svg.Text({middle, box.bottom() + 18}, fmt::format("stage {}", epochs[begin].stage), "small faint",
               Anchor::kMiddle);
    const double end = panel.x.At(static_cast<double>(i) - 0.5);
    if (i < epochs.size()) svg.Line({end, box.y}, {end, box.bottom()}, "apart");
    begin = i;
  }
  if (epochs[0].stage > 0) return;
  svg.Text({box.x, box.bottom() + 18}, "epoch 1", "small faint");
  svg.Text({box.right(), box.bottom() + 18}, fmt::format("{}", epochs.size()), "small faint", Anchor::kEnd);
}

struct Series {
  std::string title;
  std::vector<Value> learned, held_out;
};

void DrawPanel(Svg& svg, const Box& box, const std::vector<EpochPoint>& epochs, const Series& series) {
  double low = *series.learned[0], high = low;
  for (const auto* values : {&series.learned, &series.held_out})
    for (const Value& value : *values)
      if (value) low = std::min(low, *value), high = std::max(high, *value);
  const double last = std::max<double>(1, static_cast<double>(epochs.size()) - 1);
  const Panel panel{{0, last, box.x + 8, box.right() - 8}, NiceAxis(low, high, box.bottom(), box.y), box};
  DrawFrame(svg, panel, epochs, series.title);
  svg.Group("plain");
  DrawValues(svg, panel, epochs, series.learned);
  svg.EndGroup();
  svg.Group("accent");
  DrawValues(svg, panel, epochs, series.held_out);
  svg.EndGroup();
}

void DrawLegend(Svg& svg, double y, const std::string& held_out) {
  const double x = kWidth - kSide;
  const std::string other = held_out + " images";
  const double second = x - 6.6 * static_cast<double>(other.size());
  svg.Group("accent");
  svg.Line({second - 26, y - 4}, {second - 8, y - 4}, "line");
  svg.EndGroup();
  svg.Text({x, y}, other, "label soft", Anchor::kEnd);
  const double first = second - 50;
  svg.Group("plain");
  svg.Line({first - 122, y - 4}, {first - 104, y - 4}, "line");
  svg.EndGroup();
  svg.Text({first, y}, "training images", "label soft", Anchor::kEnd);
}

}  // namespace

std::string DrawRun(const std::vector<EpochPoint>& epochs, const std::string& title, const std::string& held_out) {
  if (epochs.empty()) return "";
  Series loss{"Loss", {}, {}}, accuracy{"Accuracy, %", {}, {}};
  for (const EpochPoint& epoch : epochs) {
    loss.learned.push_back(epoch.loss), loss.held_out.push_back(epoch.held_out_loss);
    accuracy.learned.push_back(epoch.accuracy), accuracy.held_out.push_back(epoch.held_out_accuracy);
  }
  const char* root = "pdarts-run";
  Svg svg(Svg::Use::kFile, {kWidth, kHeight}, root, title);
  svg.Style(StyleOf(root, {}));
  svg.Rect({0, 0, kWidth, kHeight}, 14, "paper");
  svg.Text({kSide, 36}, title, "title ink");
  DrawLegend(svg, 36, held_out);
  const double width = (kWidth - 2 * kSide - 2 * kTicks - kBetween) / 2, height = kHeight - kTop - kBottom;
  DrawPanel(svg, {kSide + kTicks, kTop, width, height}, epochs, loss);
  DrawPanel(svg, {kSide + 2 * kTicks + width + kBetween, kTop, width, height}, epochs, accuracy);
  return svg.Finish();
}

}  // namespace pdarts::draw
