// What a run of a table was asked for: fixed when it starts, stored in its folder as run.json, needed to continue or to
// render it.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/spec.h"
#include "experiment/task.h"

namespace pdarts::experiment {

struct RunSetup {
  std::string table, level;
  TaskContext context;
  uint64_t seed = 0;
  int searches = 1, trainings = 1;
  std::vector<std::string> lines;              // ids of the rows to run; empty: all
  std::map<std::string, DatasetUse> datasets;  // opened, by ColumnSpec::dataset; empty at a level that runs nothing

  bool Wants(const RowSpec& row) const;
};

inline constexpr const char* kSetupFile = "run.json";

nlohmann::ordered_json ToJson(const RunSetup& setup);

// Throws a data error where the folder holds no run, or a malformed run.json.
RunSetup ReadSetup(const std::filesystem::path& folder);

// Makes the folder and writes run.json. With `resume` a folder of the same setup is continued, and a missing or empty
// one begun; a usage error names the first key that differs. Without it, a folder that is not empty is a data error.
void OpenFolder(const std::filesystem::path& folder, const RunSetup& setup, bool resume);

// Where the run leaves the paper's recipe: the level's own list, and what the setup adds (other data, another recipe).
std::vector<std::string> Deviations(const TableSpec& table, const RunSetup& setup);

}  // namespace pdarts::experiment
