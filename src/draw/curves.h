// Charts of how a run went: its loss and accuracy, and the weights of a search's operations, epoch by epoch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "draw/svg.h"
#include "search/genotype.h"
#include "search/search_space.h"

namespace pdarts::draw {

struct EpochPoint {
  int stage = 0;                            // from 1 in a search; 0 in a training
  int epoch = 0;                            // from 1
  double loss = 0, accuracy = 0;            // on the images that the weights learn from; accuracy in per cent
  std::optional<double> held_out_loss;      // on the test images, or a search's other half
  std::optional<double> held_out_accuracy;  // per cent
};

// Loss and accuracy side by side, as a file. `held_out`: the name of the other images ("test", "validation"). "" for
// no epochs.
std::string DrawRun(const std::vector<EpochPoint>& epochs, const std::string& title, const std::string& held_out);

struct EdgeEpoch {
  int stage = 0;  // from 1
  search::EdgeSwitches switches;
  search::EdgeAlphas weights;  // softmax values
};

// A chart for each of a cell's 14 edges, rows by target and columns by source, with a line for each operation; the
// edges of `chosen` are framed in the colour of their operation. As a file; "" for no epochs.
std::string DrawAlphas(const std::vector<EdgeEpoch>& epochs, const std::string& title,
                       const std::vector<search::GenotypeEdge>& chosen);

}  // namespace pdarts::draw
