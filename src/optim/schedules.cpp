#include "optim/schedules.h"

#include <cmath>
#include <numbers>

namespace pdarts::optim {

double CosineRate(double start, int64_t epoch, int64_t epochs) {
  return start * 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(epochs)));
}

double LinearRate(double start, int64_t epoch, int64_t epochs) {
  constexpr int64_t kWarmUp = 5;
  const auto e = static_cast<double>(epoch), all = static_cast<double>(epochs), main = all - kWarmUp;
  if (epochs <= kWarmUp) return start * (all - e) / all;  // too short for the recipe's two parts
  const double rate = epochs - epoch > kWarmUp ? start * (main - e) / main : start * (all - e) / (main * kWarmUp);
  return epoch < kWarmUp ? rate * (e + 1) / kWarmUp : rate;
}

}  // namespace pdarts::optim
