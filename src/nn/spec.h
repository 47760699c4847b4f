// What a network is made of, as plain values; the words are the paper's and the published implementation's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pdarts::nn {

// The operations of a cell, by the names of a genotype: none, max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3,
// sep_conv_5x5, sep_conv_7x7, dil_conv_3x3, dil_conv_5x5, conv_7x1_1x7.
bool IsOperation(const std::string& name);

// A cell that was found: two edges per node in order; an input is 0 = c_{k-2}, 1 = c_{k-1}, 2.. = the cell's nodes.
struct CellEdge {
  std::string operation;
  int input = 0;
};
struct CellSpec {
  std::vector<CellEdge> edges;
  std::vector<int> concat;  // inputs, in the same numbering, that make the cell's output
};

// The supernet of a stage: for each of the 14 edges (node by node, inputs rising) the operations still present.
struct SearchNetworkSpec {
  std::vector<std::vector<std::string>> normal, reduce;
  int64_t cells = 5, channels = 16, classes = 10;
  bool skip_dropout =
      false;  // a dropout behind every stride-1 identity; its rate is the step's input "skip_dropout_rate"
};

enum class Macro { kCifar, kImageNet };

// Height and width of the images that a macro-architecture is made for.
constexpr int64_t ImageSide(Macro macro) { return macro == Macro::kImageNet ? 224 : 32; }

// The network that is trained from scratch.
struct EvaluationNetworkSpec {
  CellSpec normal, reduce;
  Macro macro = Macro::kCifar;
  int64_t cells = 20, channels = 36, classes = 10;
  bool auxiliary = true;  // the head at cell 2L/3, in training only
  bool drop_path = true;  // on every operation but the identity, in training only; rate: input "drop_path_rate"
};

// Counted on the network in evaluation mode, one image.
struct NetworkSize {
  int64_t parameters = 0;             // without the auxiliary head; batch norm's included
  int64_t auxiliary_parameters = 0;   // the head's own
  int64_t multiply_adds = 0;          // rule M: convolutions and linear layers
  int64_t multiply_adds_counter = 0;  // rule P: M + 2 per BN output + 1 per ReLU output + 1 per pooling input element
};

}  // namespace pdarts::nn
