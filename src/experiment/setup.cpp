#include "experiment/setup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_number.h"

namespace pdarts::experiment {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int64_t kCifarTrainImages = 50000, kCifarTestImages = 10000;

RunSetup SetupFromJson(const json& value) {
  RunSetup setup;
  setup.table = value.at("table").get<std::string>();
  setup.level = value.at("level").get<std::string>();
  setup.context = {.version = value.at("version").get<std::string>(),
                   .backend = value.at("backend").get<std::string>(),
                   .recipe = value.at("recipe").get<std::string>()};
  setup.seed = base::WholeNumber<uint64_t>(value.at("seed"));
  setup.searches = base::WholeNumber<int>(value.at("searches"));
  setup.trainings = base::WholeNumber<int>(value.at("trainings"));
  setup.lines = value.at("lines").get<std::vector<std::string>>();
  for (const auto& [name, data] : value.at("datasets").items())
    setup.datasets[name] = {.name = data.at("name").get<std::string>(),
                            .data = data.at("path").get<std::string>(),
                            .digest = data.at("digest").get<std::string>(),
                            .train_images = base::WholeNumber<int64_t>(data.at("train_images")),
                            .test_images = base::WholeNumber<int64_t>(data.at("test_images")),
                            .classes = base::WholeNumber<int>(data.at("classes"))};
  return setup;
}

// The first key whose value differs, "" where none does. The data's path may differ: the digest may not.
std::string FirstDifference(ordered_json a, ordered_json b) {
  for (ordered_json* setup : {&a, &b})
    for (auto& data : (*setup)["datasets"]) data.erase("path"), data.erase("name");
  for (const auto& [key, value] : a.items())
    if (!b.contains(key) || b[key] != value) return key;
  return "";
}

}  // namespace

bool RunSetup::Wants(const RowSpec& row) const {
  return lines.empty() || std::ranges::find(lines, row.id) != lines.end();
}

ordered_json ToJson(const RunSetup& setup) {
  ordered_json datasets = ordered_json::object();
  for (const auto& [name, use] : setup.datasets)
    datasets[name] = {{"name", use.name},
                      {"path", use.data.string()},
                      {"digest", use.digest},
                      {"train_images", use.train_images},
                      {"test_images", use.test_images},
                      {"classes", use.classes}};
  return {{"format", 1},
          {"table", setup.table},
          {"level", setup.level},
          {"version", setup.context.version},
          {"backend", setup.context.backend},
          {"recipe", setup.context.recipe},
          {"seed", setup.seed},
          {"searches", setup.searches},
          {"trainings", setup.trainings},
          {"lines", setup.lines},
          {"datasets", std::move(datasets)}};
}

RunSetup ReadSetup(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kSetupFile;
  if (!std::filesystem::exists(path))
    throw base::DataError("no run of a table is stored here", path.string(), "give the folder that reproduce wrote");
  const json value = json::parse(base::ReadFile(path), nullptr, false);
  try {
    if (!value.is_discarded() && value.at("format") == 1) return SetupFromJson(value);
  } catch (const json::exception&) {  // told below, as for text that is no JSON
  }
  throw base::DataError("the run's setup is malformed or cut short", path.string(), "run reproduce into a new folder");
}

void OpenFolder(const std::filesystem::path& folder, const RunSetup& setup, bool resume) {
  std::error_code error;
  const bool used = std::filesystem::exists(folder, error) &&
                    (!std::filesystem::is_directory(folder, error) || !std::filesystem::is_empty(folder, error));
  if (error) throw base::DataError(error.message(), folder.string(), "give a folder that can be read");
  if (used && !resume)
    throw base::DataError("the output folder exists and is not empty", folder.string(),
                          "give another --out, or --resume to go on there");
  if (used) {
    const std::string key = FirstDifference(ToJson(ReadSetup(folder)), ToJson(setup));
    if (!key.empty())
      throw base::UsageError(fmt::format("the run in this folder has another \"{}\"", key), folder.string(),
                             "resume with the options it was started with, or give another --out");
    return;
  }
  base::MakeFolder(folder);
  base::WriteFileAtomically(folder / kSetupFile, ToJson(setup).dump(1) + "\n");
}

std::vector<std::string> Deviations(const TableSpec& table, const RunSetup& setup) {
  const LevelSpec& level = table.Level(setup.level);
  std::vector<std::string> list = level.deviations;
  if (!level.runs) return list;
  if (setup.context.recipe != "paper")
    list.push_back(
        fmt::format("recipe {}: follows the released code where it differs from the paper", setup.context.recipe));
  for (const auto& [column, use] : setup.datasets) {
    if (use.name.starts_with("synthetic"))
      list.push_back(fmt::format("{} replaced by the embedded synthetic images ({} classes)", column, use.classes));
    else if (use.train_images != kCifarTrainImages || use.test_images != kCifarTestImages)
      list.push_back(fmt::format("{} with {} training and {} test images instead of 50000 and 10000", column,
                                 use.train_images, use.test_images));
  }
  return list;
}

}  // namespace pdarts::experiment
