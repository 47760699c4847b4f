#include "train/schedule.h"

#include <cmath>
#include <numbers>

namespace pdarts::train {

double CosineRate(double initial, int epoch, int epochs) {
  return initial / 2 * (1 + std::cos(std::numbers::pi * epoch / epochs));
}

double SkipDropoutRate(double initial, int epoch, int epochs, int frozen_epochs) {
  if (epoch < frozen_epochs) return initial * (epochs - 1 - epoch) / epochs;
  return initial * std::exp(-0.2 * (epoch - frozen_epochs));
}

double DropPathRate(double final_rate, int epoch, int epochs) { return final_rate * epoch / epochs; }

}  // namespace pdarts::train
