#include "experiment/task.h"

#include <nlohmann/json.hpp>

namespace pdarts::experiment {
namespace {

using nlohmann::json;

json Common(const char* kind, const TaskContext& context) {
  return {{"kind", kind}, {"version", context.version}, {"backend", context.backend}, {"recipe", context.recipe}};
}

json Data(const DatasetUse& dataset) { return {{"digest", dataset.digest}, {"classes", dataset.classes}}; }

}  // namespace

std::string Inputs(const SearchTask& task) {
  json out = Common("search", task.context);
  out["dataset"] = Data(task.dataset);
  out["settings"] = ToJson(task.settings);
  out["seed"] = task.seed;
  return out.dump();
}

std::string Inputs(const TrainTask& task) {
  json out = Common("training", task.context);
  out["dataset"] = Data(task.dataset);
  out["genotype"] = json::parse(task.genotype);
  out["settings"] = {{"epochs", task.settings.epochs},
                     {"batch", task.settings.batch},
                     {"channels", task.channels},
                     {"cells", task.settings.cells},
                     {"train_limit", task.settings.train_limit},
                     {"test_limit", task.settings.test_limit}};
  out["seed"] = task.seed;
  return out.dump();
}

std::string Inputs(const CountTask& task) {
  // A count depends on neither machine nor recipe.
  return json{{"kind", "count"},
              {"genotype", json::parse(task.genotype)},
              {"channels", task.channels},
              {"cells", task.cells},
              {"classes", task.classes}}
      .dump();
}

}  // namespace pdarts::experiment
