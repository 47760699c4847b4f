// The candidate operations (facts: DARTS, P-DARTS section 4.1) and what a cell's inputs pass through.
#pragma once

#include <string>

#include "nn/layers.h"

namespace pdarts::nn {

struct OperationOptions {
  int64_t stride = 1;
  bool affine = false;          // batch norms with gamma and beta: at evaluation
  bool pool_batch_norm = true;  // a batch norm behind each pool: at search
};

// One operation on src; channels stay. `name` is the prefix of its parameters. A user error for an unknown name.
ValueId Operation(Layers& layers, ValueId src, const std::string& operation, const std::string& name,
                  const OperationOptions& options);

// Whether the operation hands its input on: skip_connect at stride 1.
bool IsIdentity(const std::string& operation, int64_t stride);

ValueId ReluConvBn(Layers& layers, ValueId src, const std::string& name, int64_t channels, bool affine);
// ReLU, two 1x1 stride-2 convolutions of half the channels, the second on the map shifted by one pixel, concat, BN.
ValueId FactorizedReduce(Layers& layers, ValueId src, const std::string& name, int64_t channels, bool affine);

}  // namespace pdarts::nn
