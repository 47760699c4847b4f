// What a backend may tell a bench besides what plans are made of.
#pragma once

#include <vector>

#include "device/backend.h"

namespace pdarts::device {

// A backend that has kernels which it does not propose implements this too.
class Alternatives {
 public:
  virtual ~Alternatives() = default;
  // Every way the backend has to run the node, its proposal first, then those that a plan would pay for with reorders:
  // for measuring. The backend's Build takes them.
  virtual std::vector<KernelSpec> AlternativesOf(const ir::Graph& graph, ir::NodeId node) = 0;
};

}  // namespace pdarts::device
