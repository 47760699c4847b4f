#include "experiment/chart.h"

#include <algorithm>
#include <cmath>

#include "draw/axis.h"
#include "draw/stages.h"

namespace pdarts::experiment {
namespace {

constexpr double kWidth = 280, kHeight = 130, kLeft = 34, kRight = 8, kTop = 8, kBottom = 20;

using draw::Axis;
using draw::Svg;

Axis ErrorAxis(const std::vector<CurvePoint>& points) {
  double low = 100, high = 0;
  for (const CurvePoint& point : points)
    for (double error : {point.train_error, point.test_error.value_or(point.train_error)})
      low = std::min(low, error), high = std::max(high, error);
  if (high - low < 1) high = std::min(100.0, high + 0.5), low = std::max(0.0, high - 1);
  const double step = draw::NiceStep(high - low, 3);
  return {std::floor(low / step) * step, std::ceil(high / step) * step, kHeight - kBottom, kTop};
}

void DrawGrid(Svg& svg, const Axis& y) {
  const double step = draw::NiceStep(y.high - y.low, 3);
  for (double value = y.low; value <= y.high + step / 1000; value += step) {
    svg.Line({kLeft, y.At(value)}, {kWidth - kRight, y.At(value)}, "grid");
    svg.Text({kLeft - 5, y.At(value) + 3}, fmt::format("{:g}", value), "tick", draw::Anchor::kEnd);
  }
}

}  // namespace

std::string DrawCurve(const Curve& curve) {
  const auto& points = curve.points;
  if (points.empty()) return "";
  const Axis y = ErrorAxis(points);
  const Axis x{0, std::max(1.0, static_cast<double>(points.size() - 1)), kLeft + 4, kWidth - kRight - 4};
  Svg svg(Svg::Use::kInline, {kWidth, kHeight}, "curve", curve.label);
  DrawGrid(svg, y);
  std::vector<std::optional<draw::Point>> train(points.size()), test(points.size());
  std::vector<int> stages;
  size_t best = points.size();
  for (size_t i = 0; i < points.size(); ++i) {
    const double at = x.At(static_cast<double>(i));
    if (i > 0 && points[i].stage != points[i - 1].stage) {
      const double between = x.At(static_cast<double>(i) - 0.5);
      svg.Line({between, kTop}, {between, kHeight - kBottom}, "stage");
    }
    stages.push_back(points[i].stage);
    train[i] = {at, y.At(points[i].train_error)};
    if (!points[i].test_error) continue;
    test[i] = {at, y.At(*points[i].test_error)};
    if (best == points.size() || *points[i].test_error < *points[best].test_error) best = i;
  }
  draw::DrawStages(svg, train, stages, "train", 0);
  draw::DrawStages(svg, test, stages, "test", 0);
  if (best < points.size()) svg.Circle(*test[best], 3, "best");
  svg.Text({kLeft, kHeight - 6}, "epoch 1", "tick");
  svg.Text({kWidth - kRight, kHeight - 6}, std::to_string(points.size()), "tick", draw::Anchor::kEnd);
  return svg.Finish();
}

std::string DrawStrip(const Strip& strip) {
  constexpr double kStripWidth = 132, kStripHeight = 18, kMiddle = 9;
  double low = std::min(strip.band_low, strip.value), high = std::max(strip.band_high, strip.value);
  for (double run : strip.runs) low = std::min(low, run), high = std::max(high, run);
  if (strip.low) low = std::min(low, *strip.low), high = std::max(high, *strip.high);
  if (!(high > low)) low -= 0.5, high += 0.5;
  const Axis x{low, high, 5, kStripWidth - 5};
  Svg svg(Svg::Use::kInline, {kStripWidth, kStripHeight}, "strip",
          fmt::format("{:.4g}, beside {:.4g}", strip.value, strip.reference));
  const double band = x.At(strip.band_low);
  svg.Rect({band, 3, std::max(1.0, x.At(strip.band_high) - band), 12}, 3, "band");
  svg.Line({x.At(strip.reference), 1}, {x.At(strip.reference), 17}, "reference");
  if (strip.low) svg.Line({x.At(*strip.low), kMiddle}, {x.At(*strip.high), kMiddle}, "interval");
  for (double run : strip.runs) svg.Circle({x.At(run), kMiddle}, 2, "run");
  svg.Circle({x.At(strip.value), kMiddle}, 3.5, "value");
  return svg.Finish();
}

}  // namespace pdarts::experiment
