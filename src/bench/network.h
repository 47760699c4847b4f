// The networks whose steps are timed: the supernets of the search's stages and the networks of the paper's tables.
#pragma once

#include <string>
#include <vector>

#include "nn/step_graphs.h"
#include "search/genotype.h"
#include "train/step_runner.h"

namespace pdarts::bench {

struct Network {
  std::string stage;  // as --stage names it
  nn::NetworkSpec spec;
  nn::StepOptions step;        // the batch included
  train::StepScalars scalars;  // of a step in the middle of a run
  bool is_search() const { return std::holds_alternative<nn::SearchNetworkSpec>(spec); }
};

// "1", "2", "3", "cifar" (C=36, 20 cells), "cifar-large" (C=64), "imagenet" (C=48, 14 cells, 224x224).
const std::vector<std::string>& StageNames();

// Supernets as the paper's search on CIFAR10 makes them, at stages 2 and 3 with operations left at random; evaluation
// networks of `cell` with the auxiliary head and drop path, as they are trained. `layout`: of the images.
Network NetworkOf(const std::string& stage, int64_t batch, const search::Genotype& cell, tensor::Layout layout);

// `kept` of the eight operations on every edge, drawn anew for each; the same for the same seed.
search::Switches RandomSwitches(int kept, uint64_t seed);

// The operations left at a stage (from 0) of the paper's search: 8, 5, 3.
int OperationsOfStage(int stage);

// Images of standard normal noise and random labels.
data::Batch RandomBatch(const Network& network);

}  // namespace pdarts::bench
