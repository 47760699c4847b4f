#include <nlohmann/json.hpp>

#include "search/network_spec.h"
#include "train/schedule.h"
#include "train/search_stage.h"

namespace pdarts::train {

using Json = nlohmann::ordered_json;

std::string ToText(const SearchState& state) {
  return Json{{"stage", state.stage},
              {"epoch", state.epoch},
              {"batch", state.batch},
              {"adam_count", state.adam_count},
              {"weights", state.weights},
              {"alphas", state.alphas},
              {"validation", state.validation},
              {"validation_batch", state.validation_batch},
              {"lines", state.lines},
              {"switches_normal", search::OperationNames(state.switches.normal)},
              {"switches_reduce", search::OperationNames(state.switches.reduce)},
              {"validation_accuracy", state.validation_accuracy}}
      .dump();
}

SearchState SearchStateFromText(const std::string& text, const std::string& where) {
  SearchState state;
  try {
    const Json json = Json::parse(text);
    state.stage = json.at("stage");
    state.epoch = json.at("epoch");
    state.batch = json.at("batch");
    state.adam_count = json.at("adam_count");
    state.weights = json.at("weights").get<RunningSums>();
    state.alphas = json.at("alphas").get<RunningSums>();
    state.validation = json.at("validation").get<RunningSums>();
    state.validation_batch = json.at("validation_batch");
    state.lines = json.at("lines");
    state.switches.normal = search::SwitchesFromNames(json.at("switches_normal"), where);
    state.switches.reduce = search::SwitchesFromNames(json.at("switches_reduce"), where);
    state.validation_accuracy = json.at("validation_accuracy");
  } catch (const nlohmann::json::exception& error) {
    throw base::DataError(fmt::format("the state of the search cannot be read: {}", error.what()), where,
                          "the checkpoint is damaged");
  }
  return state;
}

// A weights step costs about the stage's cells times the operations of an edge.
double StepWork(const SearchOptions& options, int stage) {
  constexpr std::array<double, 3> kOperations = {8, 5, 3};
  return options.cells[static_cast<size_t>(stage)] * kOperations[static_cast<size_t>(stage)];
}

namespace {

// What an architecture step costs, as a part of a weights step: about 0.7 to 0.8 was measured.
constexpr double kArchitectureStep = 0.75;
// A batch of the validation: about 0.33 was measured.
constexpr double kValidationStep = 0.33;

// How far a stage is.
struct StagePlace {
  int epoch;
  int64_t batch = 0, validation_batch = 0;  // of this epoch
};

// The weights steps, and what is worth one, of a stage up to a place: from the first epoch that is not frozen on there
// is an architecture step for each batch, and the last epochs are validated.
double Steps(const SearchOptions& options, int64_t batches, const StagePlace& place) {
  const int frozen = *options.frozen_epochs, first_validated = std::max(0, options.epochs - kValidatedEpochs);
  const int learning = std::max(0, place.epoch - frozen), validated = std::max(0, place.epoch - first_validated);
  const int64_t weights = batches * place.epoch + place.batch,
                architecture = batches * learning + (place.epoch >= frozen ? place.batch : 0),
                validation = batches * validated + place.validation_batch;
  return static_cast<double>(weights) + kArchitectureStep * static_cast<double>(architecture) +
         kValidationStep * static_cast<double>(validation);
}

}  // namespace

double TotalWork(const SearchOptions& options, int64_t batches) {
  double work = 0;
  for (int stage : {0, 1, 2}) work += StepWork(options, stage) * Steps(options, batches, {options.epochs});
  return work;
}

double WorkDone(const SearchOptions& options, int64_t batches, const SearchState& state) {
  double work =
      StepWork(options, state.stage) * Steps(options, batches, {state.epoch, state.batch, state.validation_batch});
  for (int stage = 0; stage < state.stage; ++stage)
    work += StepWork(options, stage) * Steps(options, batches, {options.epochs});
  return work;
}

}  // namespace pdarts::train
