#include "experiment/chart.h"

#include <algorithm>
#include <cmath>

#include "draw/axis.h"
#include "draw/svg.h"

namespace pdarts::experiment {
namespace {

constexpr double kWidth = 280, kHeight = 130, kLeft = 34, kRight = 8, kTop = 8, kBottom = 20;

using draw::Axis;

Axis ErrorAxis(const std::vector<CurvePoint>& points) {
  double low = 100, high = 0;
  for (const CurvePoint& point : points)
    for (double error : {point.train_error, point.test_error.value_or(point.train_error)})
      low = std::min(low, error), high = std::max(high, error);
  if (high - low < 1) high = std::min(100.0, high + 0.5), low = std::max(0.0, high - 1);
  const double step = draw::NiceStep(high - low, 3);
  return {std::floor(low / step) * step, std::ceil(high / step) * step, kHeight - kBottom, kTop};
}

std::string Line(const std::vector<std::pair<double, double>>& points, const char* css) {
  if (points.size() < 2) return "";
  std::string out = fmt::format("<polyline class=\"{}\" points=\"", css);
  for (const auto& [x, y] : points) out += fmt::format("{:.1f},{:.1f} ", x, y);
  return out + "\"/>";
}

std::string Grid(const Axis& y) {
  std::string out;
  const double step = draw::NiceStep(y.high - y.low, 3);
  for (double value = y.low; value <= y.high + step / 1000; value += step)
    out += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>",
        kLeft, kWidth - kRight, y.At(value), y.At(value), kLeft - 5, y.At(value) + 3, value);
  return out;
}

}  // namespace

std::string DrawCurve(const Curve& curve) {
  const auto& points = curve.points;
  if (points.empty()) return "";
  const Axis y = ErrorAxis(points);
  const Axis x{0, std::max(1.0, static_cast<double>(points.size() - 1)), kLeft + 4, kWidth - kRight - 4};
  std::string out = fmt::format("<svg class=\"curve\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", kWidth,
                                kHeight, draw::Escape(curve.label)) +
                    Grid(y);
  std::vector<std::pair<double, double>> train, test;
  const auto flush = [&] {
    out += Line(train, "train") + Line(test, "test");
    train.clear(), test.clear();
  };
  size_t best = points.size();
  for (size_t i = 0; i < points.size(); ++i) {
    if (i > 0 && points[i].stage != points[i - 1].stage) {
      flush();
      const double between = x.At(static_cast<double>(i) - 0.5);
      out += fmt::format("<line class=\"stage\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", between, kTop,
                         kHeight - kBottom);
    }
    const double at = x.At(static_cast<double>(i));
    train.push_back({at, y.At(points[i].train_error)});
    if (!points[i].test_error) continue;
    test.push_back({at, y.At(*points[i].test_error)});
    if (best == points.size() || *points[i].test_error < *points[best].test_error) best = i;
  }
  flush();
  if (best < points.size())
    out += fmt::format("<circle class=\"best\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>", x.At(static_cast<double>(best)),
                       y.At(*points[best].test_error));
  out += fmt::format("<text class=\"tick\" x=\"{}\" y=\"{}\">epoch 1</text>", kLeft, kHeight - 6);
  out += fmt::format("<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></svg>", kWidth - kRight,
                     kHeight - 6, points.size());
  return out;
}

std::string DrawStrip(const Strip& strip) {
  constexpr double kStripWidth = 132, kMiddle = 9;
  double low = std::min(strip.band_low, strip.value), high = std::max(strip.band_high, strip.value);
  for (double run : strip.runs) low = std::min(low, run), high = std::max(high, run);
  if (strip.low) low = std::min(low, *strip.low), high = std::max(high, *strip.high);
  if (!(high > low)) low -= 0.5, high += 0.5;
  const Axis x{low, high, 5, kStripWidth - 5};
  std::string out =
      fmt::format("<svg class=\"strip\" viewBox=\"0 0 {} 18\" width=\"{}\" height=\"18\">", kStripWidth, kStripWidth);
  out += fmt::format("<rect class=\"band\" x=\"{:.1f}\" y=\"3\" width=\"{:.1f}\" height=\"12\" rx=\"3\"/>",
                     x.At(strip.band_low), std::max(1.0, x.At(strip.band_high) - x.At(strip.band_low)));
  out += fmt::format("<line class=\"reference\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"1\" y2=\"17\"/>",
                     x.At(strip.reference));
  if (strip.low)
    out += fmt::format("<line class=\"interval\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"/>", x.At(*strip.low),
                       x.At(*strip.high), kMiddle, kMiddle);
  for (double run : strip.runs)
    out += fmt::format("<circle class=\"run\" cx=\"{:.1f}\" cy=\"{}\" r=\"2\"/>", x.At(run), kMiddle);
  return out +
         fmt::format("<circle class=\"value\" cx=\"{:.1f}\" cy=\"{}\" r=\"3.5\"/></svg>", x.At(strip.value), kMiddle);
}

}  // namespace pdarts::experiment
