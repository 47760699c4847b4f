// Inline SVG for the HTML report.
#pragma once

#include <string>
#include <vector>

#include "experiment/reproduce.h"

namespace pdarts::experiment {

// The errors over the epochs of one run: training (thin) and test (strong), the best test epoch marked. A search's
// stages stand side by side. "" where there is nothing to draw.
std::string DrawCurve(const Curve& curve);

// A value's place beside the paper's and the stored one: band, interval, marks on one axis.
struct Strip {
  double band_low = 0, band_high = 0;  // around `reference`
  double reference = 0;
  double value = 0;
  std::vector<double> runs;
  std::optional<double> low, high;  // 95% interval of the value
};
std::string DrawStrip(const Strip& strip);

}  // namespace pdarts::experiment
