// Whole networks, from images to logits.
#pragma once

#include "nn/layers.h"

namespace pdarts::nn {

struct NetworkOutputs {
  ValueId logits = ir::kNoValue;
  ValueId auxiliary_logits = ir::kNoValue;  // the evaluation networks in training, if they have the head
  std::vector<ir::SlotId> alphas;           // the supernet: alphas_normal, alphas_reduce [14, operations]
};

// images [N, 3, H, W]. Reduction cells at L/3 and 2L/3, where the width doubles (paper, section 4.1).
NetworkOutputs SearchNetwork(Layers& layers, ValueId images, const SearchNetworkSpec& spec);
NetworkOutputs EvaluationNetwork(Layers& layers, ValueId images, const EvaluationNetworkSpec& spec);

// Sizes without running anything: image_size 32 or 224 by the macro.
NetworkSize CountNetwork(const EvaluationNetworkSpec& spec, int64_t image_size);

}  // namespace pdarts::nn
