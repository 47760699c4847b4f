#include "nn/initialize.h"

#include <cmath>

#include "base/hash.h"
#include "base/philox.h"

namespace pdarts::nn {

tensor::HostTensor InitialValue(const ir::Slot& slot, uint64_t seed) {
  const uint64_t name = base::Fnv1a(slot.name);
  base::RandomSequence random(seed, base::RandomStream::kInit, static_cast<uint32_t>(name),
                              static_cast<uint32_t>(name >> 32));
  std::vector<double> values(static_cast<size_t>(slot.desc.shape.elements()));
  const size_t colon = slot.init.find(':');
  const std::string kind = slot.init.substr(0, colon);
  const double parameter = colon == std::string::npos ? 0 : std::stod(slot.init.substr(colon + 1));
  if (kind == "ones") {
    std::fill(values.begin(), values.end(), 1.0);
  } else if (kind == "uniform_fan_in") {
    for (double& value : values) value = (2 * random.Uniform() - 1) / std::sqrt(parameter);
  } else if (kind == "normal") {
    for (double& value : values) value = parameter * random.Normal();
  } else {
    PD_CHECK(kind == "zeros", "slot {} starts as '{}'", slot.name, slot.init);
  }
  return tensor::HostTensor::FromDoubles(slot.desc, values);
}

}  // namespace pdarts::nn
