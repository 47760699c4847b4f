// A network taken apart: its stem, its cells, its classifier.
#pragma once

#include <string>
#include <vector>

#include "nn/networks.h"

namespace pdarts::nn {

struct NetworkPart {
  std::string name, kind;     // "cells.6", "reduction cell"
  tensor::Shape output;       // of one image
  int64_t parameters = 0;     // batch norms included
  int64_t multiply_adds = 0;  // rule M, one image
};

// In the order of the network, in evaluation mode: without the auxiliary head. They add up to CountNetwork.
std::vector<NetworkPart> NetworkParts(const EvaluationNetworkSpec& spec, int64_t image_size);

}  // namespace pdarts::nn
