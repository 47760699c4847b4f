// One direction of a chart.
#pragma once

#include <vector>

namespace pdarts::draw {

struct Axis {
  double low = 0, high = 1, from = 0, to = 1;  // values low..high lie at pixels from..to
  double At(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

// A step of 1, 2 or 5 times a power of ten that parts `range` (above 0) into at most `count` pieces.
double NiceStep(double range, int count);

// The axis from `from` to `to` whose ends are multiples of a nice step and hold low..high; where these are equal, some
// room around them.
Axis NiceAxis(double low, double high, double from, double to);

// The multiples of the axis's step, low to high.
std::vector<double> Ticks(const Axis& axis);

}  // namespace pdarts::draw
