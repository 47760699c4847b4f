// Learning rates as pure functions of the epoch.
#pragma once

#include <cstdint>

namespace pdarts::optim {

// Cosine from `start` at epoch 0 to 0 at `epochs`: start (1 + cos(pi e / epochs)) / 2.
double CosineRate(double start, int64_t epoch, int64_t epochs);

// ImageNet (paper, section 4.3.2; the published implementation's form): 5 epochs of warm-up, rate (e+1)/5 of the linear
// one; linear rate (E-5-e)/(E-5) while more than 5 epochs remain, then rate (E-e)/((E-5) 5).
double LinearRate(double start, int64_t epoch, int64_t epochs);

}  // namespace pdarts::optim
