// The CPU backend: oneDNN for dense convolutions and linear layers, own kernels (src/kernels) for everything else.
// Activations are channels-last f32 from the input to the pool; parameters stay plain, and reorders of weights for
// oneDNN are nodes of their own.
#pragma once

#include <memory>

#include "device/backend.h"

namespace pdarts::backends {

// Uses base::Threads() threads and kernels::ActiveIsa(); set both before.
std::unique_ptr<device::Backend> NewCpuBackend();

}  // namespace pdarts::backends
