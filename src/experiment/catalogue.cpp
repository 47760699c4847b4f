#include "experiment/catalogue.h"

#include "base/embedded.h"

namespace pdarts::experiment {
namespace {

constexpr std::string_view kSpecs = "reproduce/", kRecords = "results/records/", kEnding = ".json";
constexpr std::string_view kCells = "reproduce/architectures.json";  // no table: see search/architectures.h

bool IsTable(const base::EmbeddedFile& file) { return file.name.starts_with(kSpecs) && file.name != kCells; }

std::string TableOf(std::string_view name) {
  return std::string(name.substr(kSpecs.size(), name.size() - kSpecs.size() - kEnding.size()));
}

}  // namespace

std::vector<std::string> TableNames() {
  std::vector<std::string> names;
  for (const base::EmbeddedFile& file : base::EmbeddedFiles())
    if (IsTable(file)) names.push_back(TableOf(file.name));
  return names;
}

TableSpec FindTable(const std::string& id) {
  for (const base::EmbeddedFile& file : base::EmbeddedFiles())
    if (IsTable(file) && TableOf(file.name) == id) return ParseTableSpec(file.content, std::string(file.name));
  const std::string nearest = base::NearestName(id, TableNames());
  throw base::UsageError(fmt::format("there is no table \"{}\"", id), "reproduce",
                         nearest.empty() ? fmt::format("take one of {}", fmt::join(TableNames(), ", "))
                                         : fmt::format("did you mean {}?", nearest));
}

const StoredRecords& Stored() {
  static const StoredRecords stored = [] {
    std::vector<std::pair<std::string, std::string_view>> files;
    for (const base::EmbeddedFile& file : base::EmbeddedFiles())
      if (file.name.starts_with(kRecords)) files.emplace_back(file.name, file.content);
    return StoredRecords(files);
  }();
  return stored;
}

TableResult LoadResult(const std::filesystem::path& folder) {
  const RunSetup setup = ReadSetup(folder);
  return Evaluate(FindTable(setup.table), setup, ResultStore(folder), Stored());
}

}  // namespace pdarts::experiment
