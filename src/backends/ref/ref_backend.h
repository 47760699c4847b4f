// The oracle: every op by its reference kernel, plain layouts, float or double as the graph says.
#pragma once

#include <memory>

#include "device/backend.h"

namespace pdarts::backends {

std::unique_ptr<device::Backend> NewRefBackend();

}  // namespace pdarts::backends
