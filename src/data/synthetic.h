// Images that need no file: deterministic, and learnable by a small network.
#pragma once

#include "data/dataset.h"

namespace pdarts::data {

// Opens the synthetic set with 10 or 100 classes, 32 x 32, 2048 training and 512 test images unless limited otherwise
// (a limit may be larger: the set has no end). Same bytes on every machine.
Splits OpenSynthetic(int classes, int64_t train_limit, int64_t test_limit);

}  // namespace pdarts::data
