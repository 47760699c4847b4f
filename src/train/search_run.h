// The three-stage search of P-DARTS (paper, section 3.2 and 4.2; the recipes' numbers: facts in search/README.md).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "search/genotype.h"
#include "train/progress.h"

namespace pdarts::device {
class Backend;
}

namespace pdarts::train {

// Where the paper and the published implementation differ.
enum class Recipe { kPaper, kReleased };
const char* Name(Recipe recipe);
Recipe RecipeFromName(const std::string& name);  // a usage error for any other

struct SearchOptions {
  data::DatasetSpec data;
  std::filesystem::path out;
  bool resume = false;                  // go on with the run in `out`; begin it where there is none yet
  bool allow_signature_change = false;  // even with other libraries, instruction set or threads
  Recipe recipe = Recipe::kPaper;
  uint64_t seed = 0;
  int epochs = 25;                   // a stage
  std::optional<int> frozen_epochs;  // in which the alphas rest; default: two fifths, rounded down
  int batch = 96;
  int channels = 16;
  std::array<int, 3> cells{5, 11, 17};
  std::optional<std::array<double, 3>> skip_dropout;  // initial rates; default: of the recipe, by the number of classes
  double learning_rate = 0.025;
  int max_skip = 2;  // skip-connects the normal cell may keep (M)
  int workers = 1;
  std::string device = "auto", isa = "auto";  // for the record, as the next two; the signature decides what may resume
  int threads = 0;                            // 0: not chosen
  std::string data_digest;                    // data::ContentDigest of the images; the run fills it in
};

// Fills in the defaults that depend on others (`classes`: of the dataset) and checks every option: a usage error names
// the wrong one.
SearchOptions Resolve(SearchOptions options, int classes);

// Resolved options as config.json holds them.
nlohmann::ordered_json ToJson(const SearchOptions& options);

struct SearchResult {
  search::Genotype genotype;                    // with options.max_skip
  std::map<int, search::Genotype> by_max_skip;  // for every M
  std::array<double, 3> validation_accuracy{};  // of each stage's last epoch, top-1, 0 to 1
  double seconds = 0;                           // of all processes that worked on the run
  std::string signature;                        // see Checkpoint
  std::filesystem::path folder;
};

// Runs or continues a search, to its end. Needs backend.Signature() to stay the same. Throws what its parts throw;
// after a signal it saves and throws an error of exit code kInterrupted or kTerminated.
SearchResult RunSearch(const SearchOptions& options, device::Backend& backend, Progress& progress);

}  // namespace pdarts::train
