#include "experiment/size_counter.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/verify.h"
#include "nn/networks.h"
#include "search/genotype.h"
#include "search/network_spec.h"

namespace pdarts::experiment {

TaskResult SizeCounter::RunSearch(const SearchTask& task) { PD_CHECK(false, "a search on {}", task.dataset.name); }

TaskResult SizeCounter::RunTraining(const TrainTask& task) { PD_CHECK(false, "a training on {}", task.dataset.name); }

TaskResult SizeCounter::Count(const CountTask& task) {
  const search::Genotype genotype = search::GenotypeFromJson(nlohmann::json::parse(task.genotype), "the table's cell");
  nn::EvaluationNetworkSpec network = search::EvaluationNetwork(genotype);
  network.cells = task.cells, network.channels = task.channels, network.classes = task.classes;
  const nn::NetworkSize size = nn::CountNetwork(network, nn::ImageSide(network.macro));
  TaskResult result{.provenance = machine_};
  result.metrics.parameters = size.parameters;
  result.metrics.multiply_adds = size.multiply_adds;
  result.metrics.multiply_adds_counter = size.multiply_adds_counter;
  return result;
}

DatasetUse SizeCounter::OpenData(DatasetUse use) {
  const data::Splits splits = data::OpenDataset({.dataset = use.name, .data = use.data});
  use.digest = data::DatasetDigest(splits);
  use.train_images = splits.train->Size();
  use.test_images = splits.test->Size();
  use.classes = splits.train->info().classes;
  return use;
}

}  // namespace pdarts::experiment
