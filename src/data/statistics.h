// Mean and standard deviation of a split.
#pragma once

#include <array>

#include "data/dataset.h"

namespace pdarts::data {

struct ChannelStatistics {
  std::array<double, 3> mean{}, sd{};  // of pixel / 255, per channel; sd of the population
};

// Over all images, from integer sums, so that the result does not depend on the order or the threads.
ChannelStatistics MeasureChannels(const Dataset& dataset);

}  // namespace pdarts::data
