#include "train/search_stage.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "nn/networks.h"
#include "search/genotype.h"
#include "search/network_spec.h"

namespace pdarts::train {
namespace {

std::shared_ptr<const data::Dataset> FiveImages() {
  data::DatasetInfo info{.classes = 2, .height = 1, .width = 1};
  return std::make_shared<data::MemoryDataset>(info, std::vector<uint8_t>(15), std::vector<int32_t>{0, 1, 0, 1, 0});
}

TEST_CASE("weights learn from the first half, alphas and validation from the second, all augmented", "[train]") {
  const SearchOptions options;
  const auto weights = LoaderOf(Part::kWeights, options, FiveImages(), 7);
  const auto alphas = LoaderOf(Part::kAlphas, options, FiveImages(), 7);
  const auto validation = LoaderOf(Part::kValidation, options, FiveImages(), 7);
  CHECK(weights.indices == std::vector<int64_t>{0, 1});
  CHECK(alphas.indices == std::vector<int64_t>{2, 3, 4});
  CHECK(validation.indices == alphas.indices);
  CHECK(weights.augment);
  CHECK(alphas.augment);
  CHECK(validation.augment);
  CHECK(validation.augmentation.cutout == 0);
  CHECK(weights.shuffle);
  CHECK(alphas.shuffle);
  CHECK_FALSE(validation.shuffle);
  CHECK(weights.number != alphas.number);
  CHECK(validation.seed != alphas.seed);
}

TEST_CASE("the work of a search is its steps, with alphas from the first epoch not frozen on, and validation",
          "[train]") {
  const SearchOptions options = Resolve({}, 10);
  const int64_t batches = 261;
  const auto done = [&](int stage, int epoch, int64_t batch, int64_t validation_batch) {
    SearchState state;
    state.stage = stage, state.epoch = epoch, state.batch = batch, state.validation_batch = validation_batch;
    return WorkDone(options, batches, state);
  };
  const double step = StepWork(options, 0);
  CHECK(done(0, 0, 0, 0) == 0);
  CHECK(done(0, 1, 5, 0) == Catch::Approx(step * (261 + 5)));
  CHECK(done(0, 11, 4, 0) == Catch::Approx(step * (11 * 261 + 4 + 0.75 * (261 + 4))));
  CHECK(done(0, 24, 261, 261) == Catch::Approx(done(0, 25, 0, 0)));
  CHECK(done(0, 25, 0, 0) == Catch::Approx(step * 261 * (25 + 0.75 * 15 + 0.33 * 4)));
  CHECK(done(1, 0, 0, 0) == done(0, 25, 0, 0));
  CHECK(done(2, 25, 0, 0) == Catch::Approx(TotalWork(options, batches)));
}

TEST_CASE("a cell that concatenates what it does not have is refused", "[nn]") {
  const search::Genotype genotype = search::ParseGenotype(
      "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), "
      "('skip_connect', 1)], reduce_concat=[2])");
  nn::EvaluationNetworkSpec spec = search::EvaluationNetwork(genotype, nn::Macro::kCifar);
  spec.cells = 3;
  CHECK_NOTHROW(nn::CountNetwork(spec, 32));
  for (const int input : {-1, 3}) {
    spec.normal.concat = {input};
    CHECK_THROWS_AS(nn::CountNetwork(spec, 32), std::logic_error);
  }
}

}  // namespace
}  // namespace pdarts::train
