#include <nlohmann/json.hpp>

#include "search/network_spec.h"
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

}  // namespace pdarts::train
