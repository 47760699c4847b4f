// Training of an evaluation network (paper, section 4.3) and its test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "search/genotype.h"
#include "train/progress.h"
#include "train/search_run.h"

namespace pdarts::train {

struct TrainOptions {
  data::DatasetSpec data;
  search::Genotype genotype;
  std::string arch_name;  // as the user named it; for the record
  std::filesystem::path out;
  bool resume = false, allow_signature_change = false;
  Recipe recipe = Recipe::kPaper;
  uint64_t seed = 0;
  int epochs = 600;
  int batch = 128;
  int channels = 36;
  int cells = 20;
  double learning_rate = 0.025;
  std::optional<double> weight_decay;  // default: 3e-4, with 100 classes 5e-4
  double drop_path = 0.3;              // at the last epoch; rises linearly
  int cutout = 16;                     // side; 0: none
  bool auxiliary = true;
  double auxiliary_weight = 0.4;
  int workers = 1;
  std::string device = "auto", isa = "auto";  // for the record, as the next two; the signature decides what may resume
  int threads = 0;                            // 0: not chosen
  std::string data_digest;                    // data::ContentDigest of the images; the run fills it in
};

TrainOptions Resolve(TrainOptions options, int classes);     // as for a search
nlohmann::ordered_json ToJson(const TrainOptions& options);  // of resolved options

struct TrainResult {
  double last_test_error = 0, best_test_error = 0;  // per cent, top-1; the last epoch is what counts
  int best_epoch = 0;                               // from 0
  double last_train_loss = 0;
  int64_t parameters = 0;  // without the auxiliary head
  double seconds = 0;      // of all processes that worked on the run
  std::string signature;   // see Checkpoint
  std::filesystem::path folder;
};

TrainResult RunTraining(const TrainOptions& options, device::Backend& backend, Progress& progress);

// Tests weights.safetensors of a run, or weights of the published implementation, on the test split.
struct EvalOptions {
  data::DatasetSpec data;
  search::Genotype genotype;
  std::filesystem::path weights;
  int batch = 128;
  int channels = 36;
  int cells = 20;
  int workers = 1;
};

struct EvalResult {
  double loss = 0, error = 0, error_top5 = 0;  // per cent
  int64_t images = 0;
  int64_t parameters = 0;
  double seconds = 0;
};

EvalResult RunEvaluation(const EvalOptions& options, device::Backend& backend, Progress& progress);

}  // namespace pdarts::train
