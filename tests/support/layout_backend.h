// A backend for tests of layouts: the reference kernels behind channels-last and opaque layouts.
#pragma once

#include <memory>

#include "device/backend.h"

namespace pdarts::test {

struct LayoutBackendOptions {
  bool opaque_weights = false;  // convolutions want their weights in a layout of the backend's own (elements reversed)
  ir::OpKind broken = ir::OpKind::kInput;  // this kind's first output comes out 1% too large
};

// Proposes for every node with images as operands: all of them channels last (cost 0), or all plain (cost 1).
std::unique_ptr<device::Backend> NewLayoutBackend(const LayoutBackendOptions& options);

}  // namespace pdarts::test
