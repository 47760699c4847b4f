#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "train/search_run.h"

namespace pdarts::train {
namespace {

// Paper, section 4.2 for CIFAR10 and 4.4.2 for CIFAR100; the published implementation's README command.
std::array<double, 3> DefaultSkipDropout(Recipe recipe, int classes) {
  if (recipe == Recipe::kReleased) return {0.1, 0.4, 0.7};
  if (classes == 100) return {0.1, 0.2, 0.3};
  return {0.0, 0.4, 0.7};
}

void CheckOptions(const SearchOptions& options) {
  const auto want = [](bool good, const char* what, const char* where, const char* remedy) {
    if (!good) throw base::UsageError(what, where, remedy);
  };
  want(options.epochs >= 1, "a stage needs at least one epoch", "--epochs", "give a number from 1 on");
  want(options.batch >= 2, "batch normalisation needs at least two images a batch", "--batch",
       "give a number from 2 on");
  want(options.channels >= 1, "the network needs channels", "--channels", "give a number from 1 on");
  for (int cells : options.cells)
    want(cells >= 1 && cells <= 1000, "each stage needs 1 to 1000 cells", "--cells", "give three such as 5,11,17");
  if (options.frozen_epochs) {
    want(*options.frozen_epochs >= 0 && *options.frozen_epochs < options.epochs,
         "the alphas must move in at least one epoch", "--frozen-epochs", "give a number below --epochs");
  }
  want(options.max_skip >= 0, "the number of skip-connects cannot be negative", "--max-skip",
       "give a number from 0 on");
  want(options.workers >= 0, "the number of workers cannot be negative", "--workers", "give a number from 0 on");
  if (options.skip_dropout) {
    for (double rate : *options.skip_dropout) {
      want(rate >= 0 && rate < 1, "a dropout rate lies in [0, 1)", "--skip-dropout",
           "give three rates, such as 0,0.4,0.7");
    }
  }
}

}  // namespace

const char* Name(Recipe recipe) { return recipe == Recipe::kPaper ? "paper" : "released"; }

Recipe RecipeFromName(const std::string& name) {
  if (name == "paper") return Recipe::kPaper;
  if (name == "released") return Recipe::kReleased;
  throw base::UsageError("unknown recipe '" + name + "'", "--recipe", "give paper or released");
}

SearchOptions Resolve(SearchOptions options, int classes) {
  CheckOptions(options);
  if (!options.frozen_epochs) options.frozen_epochs = options.epochs * 2 / 5;
  if (!options.skip_dropout) options.skip_dropout = DefaultSkipDropout(options.recipe, classes);
  return options;
}

nlohmann::ordered_json ToJson(const SearchOptions& options) {
  PD_CHECK(options.frozen_epochs && options.skip_dropout, "resolve the options first");
  return {{"command", "search"},
          {"dataset", options.data.dataset},
          {"data", options.data.data.string()},
          {"train_limit", options.data.train_limit},
          {"test_limit", options.data.test_limit},
          {"image_size", options.data.image_size},
          {"recipe", Name(options.recipe)},
          {"seed", options.seed},
          {"epochs", options.epochs},
          {"frozen_epochs", *options.frozen_epochs},
          {"batch", options.batch},
          {"channels", options.channels},
          {"cells", options.cells},
          {"skip_dropout", *options.skip_dropout},
          {"learning_rate", options.learning_rate},
          {"max_skip", options.max_skip},
          {"workers", options.workers},
          {"device", options.device},
          {"isa", options.isa},
          {"threads", options.threads},
          {"data_digest", options.data_digest}};
}

}  // namespace pdarts::train
