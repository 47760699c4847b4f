#include "train/schedule.h"

#include <cmath>

namespace pdarts::train {

double SkipDropoutRate(double initial, int epoch, int epochs, int frozen_epochs) {
  if (epoch < frozen_epochs) return initial * (epochs - 1 - epoch) / epochs;
  return initial * std::exp(-0.2 * (epoch - frozen_epochs));
}

double DropPathRate(double final_rate, int epoch, int epochs) { return final_rate * epoch / epochs; }

}  // namespace pdarts::train
