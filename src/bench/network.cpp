#include "bench/network.h"

#include <algorithm>

#include "base/philox.h"
#include "search/network_spec.h"
#include "train/search_stage.h"
#include "train/training_run.h"

namespace pdarts::bench {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int kCifarClasses = 10;
constexpr double kDropPathRate = 0.15;  // half-way to the paper's 0.3

Network Supernet(int stage, Network network) {
  const train::SearchOptions options = train::Resolve(train::SearchOptions{}, kCifarClasses);
  const search::Switches switches =
      stage == 0 ? search::Switches::All() : RandomSwitches(OperationsOfStage(stage), kSeed);
  network.spec = train::SupernetOf(options, stage, switches, kCifarClasses);
  network.scalars.rate = options.learning_rate;
  network.scalars.skip_dropout_rate = (*options.skip_dropout)[static_cast<size_t>(stage)];
  return network;
}

Network EvaluationNetwork(const search::Genotype& cell, Network network) {
  const bool imagenet = network.stage == "imagenet";
  nn::EvaluationNetworkSpec spec = search::EvaluationNetwork(cell, imagenet ? nn::Macro::kImageNet : nn::Macro::kCifar);
  if (network.stage == "cifar-large") spec.channels = 64;
  spec.drop_path = !imagenet;
  network.step.image_size = nn::ImageSide(spec.macro);
  network.spec = spec;
  if (imagenet) {
    network.step.label_smoothing = 0.1;
    network.step.sgd.weight_decay = 3e-5;
  }
  network.scalars.rate = train::TrainOptions{}.learning_rate;
  network.scalars.drop_path_rate = kDropPathRate;
  return network;
}

}  // namespace

const std::vector<std::string>& StageNames() {
  static const std::vector<std::string> kNames{"1", "2", "3", "cifar", "cifar-large", "imagenet"};
  return kNames;
}

int OperationsOfStage(int stage) { return stage == 0 ? search::kSearchPrimitives : stage == 1 ? 5 : 3; }

search::Switches RandomSwitches(int kept, uint64_t seed) {
  base::RandomSequence random(seed, base::RandomStream::kSwitches);
  search::Switches switches = search::Switches::All();
  for (search::EdgeSwitches* edges : {&switches.normal, &switches.reduce})
    for (std::vector<search::Primitive>& edge : *edges)
      while (static_cast<int>(edge.size()) > kept) edge.erase(edge.begin() + random.Below(edge.size()));
  return switches;
}

Network NetworkOf(const std::string& stage, int64_t batch, const search::Genotype& cell, tensor::Layout layout) {
  Network network;
  network.stage = stage;
  network.step.batch = batch;
  network.step.image_layout = layout;
  network.scalars.seed = kSeed;
  const auto& names = StageNames();
  const auto number = std::find(names.begin(), names.end(), stage) - names.begin();
  PD_CHECK(number < static_cast<ptrdiff_t>(names.size()), "stage {}", stage);
  return number < 3 ? Supernet(static_cast<int>(number), network) : EvaluationNetwork(cell, network);
}

data::Batch RandomBatch(const Network& network) {
  const auto n = static_cast<size_t>(network.step.batch), side = static_cast<size_t>(network.step.image_size);
  const int64_t classes = std::visit([](const auto& spec) { return spec.classes; }, network.spec);
  base::RandomSequence random(kSeed, base::RandomStream::kTest);
  data::Batch batch;
  batch.n = static_cast<int>(n);
  batch.images.resize(n * side * side * 3);
  for (float& pixel : batch.images) pixel = static_cast<float>(random.Normal());
  for (size_t i = 0; i < n; ++i) batch.labels.push_back(static_cast<int32_t>(random.Below(classes)));
  return batch;
}

}  // namespace pdarts::bench
