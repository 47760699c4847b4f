#include "draw/axis.h"

#include <cmath>

namespace pdarts::draw {
namespace {

constexpr int kPieces = 4;

}  // namespace

double NiceStep(double range, int count) {
  const double raw = range / count, power = std::pow(10.0, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power * (1 + 1e-9)) return factor * power;
  return 10 * power;
}

Axis NiceAxis(double low, double high, double from, double to) {
  if (!(high > low)) low -= 0.5, high += 0.5;
  const double step = NiceStep(high - low, kPieces);
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, from, to};
}

std::vector<double> Ticks(const Axis& axis) {
  const double step = NiceStep(axis.high - axis.low, kPieces);
  std::vector<double> ticks;
  for (double value = axis.low; value <= axis.high + step / 1000; value += step)
    ticks.push_back(std::abs(value) < step / 1000 ? 0 : value);
  return ticks;
}

}  // namespace pdarts::draw
