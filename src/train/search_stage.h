// One stage of the search: a supernet trained from scratch while its alphas learn (paper, section 3.2).
#pragma once

#include "nn/spec.h"
#include "search/derivation.h"
#include "train/metrics.h"
#include "train/run_folder.h"
#include "train/search_run.h"
#include "train/step_runner.h"

namespace pdarts::train {

// Where a search stands; what a checkpoint holds besides the slots. No times: the same run gives the same bytes however
// often it stopped.
struct SearchState {
  int stage = 0, epoch = 0;  // from 0; epoch == epochs: the stage is done
  int64_t batch = 0;         // the next of the epoch
  int64_t adam_count = 0;    // architecture steps of the stage so far
  RunningSums weights, alphas;
  RunningSums validation;        // of this epoch, once its steps are done
  int64_t validation_batch = 0;  // the next
  int64_t lines = 0;             // of metrics.jsonl and alphas.jsonl that belong to this state
  search::Switches switches = search::Switches::All();
  std::array<double, 3> validation_accuracy{};
};

std::string ToText(const SearchState& state);
SearchState SearchStateFromText(const std::string& text, const std::string& where);  // data error

// What stays the same over the stages.
struct SearchContext {
  const SearchOptions& options;
  device::Backend& backend;
  Progress& progress;
  const RunFolder& folder;
  std::shared_ptr<const data::Dataset> train;
  std::string signature;
  TimeEstimate* estimate = nullptr;  // of the whole search, in the unit of StepWork
};

// The relative cost of a weights step of a stage (from 0), and the work of the whole search and of what `state` has
// behind it.
double StepWork(const SearchOptions& options, int stage);
double TotalWork(const SearchOptions& options, int64_t batches);
double WorkDone(const SearchOptions& options, int64_t batches, const SearchState& state);

// The supernet of a stage (from 0) with these operations left; resolved options.
nn::SearchNetworkSpec SupernetOf(const SearchOptions& options, int stage, const search::Switches& switches,
                                 int classes);

// What a stage draws images for: the first half of the training split for the weights, the second for the alphas and
// for the validation. The published implementation validates through the loader that feeds the alphas, so its images
// are cropped and flipped too, and so are ours; each epoch's differ.
enum class Part { kWeights, kAlphas, kValidation };
data::LoaderOptions LoaderOf(Part part, const SearchOptions& options, std::shared_ptr<const data::Dataset> train,
                             uint64_t seed);

class SearchStage {
 public:
  // Begins the stage of `state`, or continues it from the slots of a checkpoint.
  SearchStage(const SearchContext& context, SearchState& state, const SlotTensors* slots);

  // Runs to the stage's end. A signal: saves, then throws an error of exit code kInterrupted or kTerminated.
  void Run();

  search::Alphas alphas();

 private:
  void RunEpoch();
  void ArchitectureStep(int64_t step);
  void Validate();
  void EndEpoch(double seconds);
  void Save();
  double SecondsLeft();
  void StopIfAsked();  // saves and throws
  void Report(const char* phase, int64_t steps, double images_per_second);
  StepScalars Scalars(int64_t step) const;

  const SearchContext& context_;
  SearchState& state_;
  uint64_t seed_;
  plan::ModelStorage storage_;
  std::unique_ptr<StepRunner> weights_, architecture_, evaluation_;
  std::unique_ptr<data::Loader> weight_loader_, alpha_loader_, validation_loader_;
};

}  // namespace pdarts::train
