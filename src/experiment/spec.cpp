#include "experiment/spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/json_number.h"
#include "search/architectures.h"

namespace pdarts::experiment {
namespace {

using nlohmann::json;

constexpr const char* kRemedy = "compare with reproduce/README.md, which lists the keys";

// An object of the spec with its place, so that every error can name the key.
class Reader {
 public:
  Reader(const json& value, std::string where) : value_(value), where_(std::move(where)) {
    if (!value.is_object()) throw base::DataError("an object was expected", where_, kRemedy);
  }
  ~Reader() = default;

  template <class T>
  T Get(const char* key) {
    used_.insert(key);
    const auto found = value_.find(key);
    if (found == value_.end()) throw base::DataError(fmt::format("the key \"{}\" is missing", key), where_, kRemedy);
    return As<T>(*found, key);
  }
  template <class T>
  T Get(const char* key, T otherwise) {
    used_.insert(key);
    const auto found = value_.find(key);
    return found == value_.end() ? otherwise : As<T>(*found, key);
  }
  template <class E>
  E Choice(const char* key, const std::vector<std::pair<const char*, E>>& choices) {
    const std::string word = Get<std::string>(key);
    for (const auto& [name, choice] : choices)
      if (word == name) return choice;
    throw base::DataError(fmt::format("\"{}\" is no value of \"{}\"", word, key), where_, kRemedy);
  }
  const json& Child(const char* key) {
    used_.insert(key);
    const auto found = value_.find(key);
    if (found == value_.end()) throw base::DataError(fmt::format("the key \"{}\" is missing", key), where_, kRemedy);
    return *found;
  }
  bool Has(const char* key) const { return value_.contains(key); }
  const std::string& where() const { return where_; }

  // To be called last: a misspelt key would otherwise be silently without effect.
  void Done() const {
    for (const auto& [key, value] : value_.items())
      if (!used_.contains(key)) throw base::DataError(fmt::format("unknown key \"{}\"", key), where_, kRemedy);
  }

 private:
  template <class T>
  T As(const json& value, const char* key) const {
    try {
      if constexpr (std::integral<T> && !std::is_same_v<T, bool>) {
        return base::WholeNumber<T>(value);
      } else if constexpr (std::is_same_v<T, std::array<int, 3>>) {
        const auto items = value.get<std::array<json, 3>>();
        return {base::WholeNumber<int>(items[0]), base::WholeNumber<int>(items[1]), base::WholeNumber<int>(items[2])};
      } else {
        return value.get<T>();
      }
    } catch (const json::exception&) {
      throw base::DataError(fmt::format("the value of \"{}\" is of the wrong type", key), where_, kRemedy);
    }
  }

  const json& value_;
  std::string where_;
  std::set<std::string> used_;
};

void Positive(double value, const char* key, const std::string& where) {
  if (!(value > 0)) throw base::DataError(fmt::format("\"{}\" must be above 0", key), where, kRemedy);
}

SearchSettings ReadSearch(const json& value, const std::string& where) {
  Reader reader(value, where);
  SearchSettings s;
  s.epochs = reader.Get("epochs", s.epochs);
  s.batch = reader.Get("batch", s.batch);
  s.channels = reader.Get("channels", s.channels);
  s.cells = reader.Get("cells", s.cells);
  s.train_limit = reader.Get("train_limit", s.train_limit);
  s.max_skip = reader.Get("max_skip", s.max_skip);
  reader.Done();
  Positive(std::min({s.epochs, s.batch, s.channels, s.cells[0], s.cells[1], s.cells[2]}),
           "epochs, batch, channels, cells", where);
  return s;
}

TrainSettings ReadTrain(const json& value, const std::string& where) {
  Reader reader(value, where);
  TrainSettings s;
  s.epochs = reader.Get("epochs", s.epochs);
  s.batch = reader.Get("batch", s.batch);
  s.channels = reader.Get("channels", s.channels);
  s.large_channels = reader.Get("large_channels", s.large_channels);
  s.cells = reader.Get("cells", s.cells);
  s.train_limit = reader.Get("train_limit", s.train_limit);
  s.test_limit = reader.Get("test_limit", s.test_limit);
  reader.Done();
  Positive(std::min({s.epochs, s.batch, s.channels, s.large_channels, s.cells}), "epochs, batch, channels, cells",
           where);
  return s;
}

LevelSpec ReadLevel(const std::string& id, const json& value, const std::string& where) {
  Reader reader(value, where);
  LevelSpec level{.id = id};
  level.about = reader.Get<std::string>("about");
  level.runs = reader.Get("runs", false);
  if (level.runs) {
    level.recipe = reader.Get("recipe", level.recipe);
    level.claims_paper = reader.Get("claims_paper", false);
    level.needs_data = reader.Get("needs_data", false);
    level.searches = reader.Get("searches", 1);
    level.trainings = reader.Get("trainings", 1);
    Positive(std::min(level.searches, level.trainings), "searches, trainings", where);
    level.search = ReadSearch(reader.Child("search"), where + ".search");
    level.train = ReadTrain(reader.Child("train"), where + ".train");
    level.stored_bands = reader.Get("stored_bands", level.stored_bands);
    level.stored_rule = reader.Get("stored_rule", std::string());
  }
  level.deviations = reader.Get("deviations", level.deviations);
  reader.Done();
  return level;
}

ColumnSpec ReadColumn(const json& value, const std::string& where) {
  Reader reader(value, where);
  ColumnSpec column;
  column.id = reader.Get<std::string>("id");
  column.title = reader.Get<std::string>("title");
  column.unit = reader.Get<std::string>("unit");
  column.rule = reader.Get<std::string>("rule");
  column.measure = reader.Choice<Measure>(
      "measure", {{"error", Measure::kError}, {"parameters", Measure::kParameters}, {"cost", Measure::kCost}});
  column.digits = reader.Get<int>("digits");
  column.band = reader.Get("band", 0.0);
  column.classes = reader.Get("classes", 10);
  if (column.measure == Measure::kError) {
    column.dataset = reader.Get<std::string>("dataset");
    Positive(column.band, "band", where);
  }
  reader.Done();
  return column;
}

EntrySpec ReadEntry(const std::string& column, const json& value, const std::string& where) {
  Reader reader(value, where);
  EntrySpec entry{.column = column};
  if (reader.Has("paper")) entry.paper = reader.Get<double>("paper");
  entry.evidence = reader.Choice<Evidence>("evidence", {{"exact", Evidence::kExact},
                                                        {"statistical", Evidence::kStatistical},
                                                        {"cost", Evidence::kCost},
                                                        {"quoted", Evidence::kQuoted}});
  if (reader.Has("count")) entry.count = reader.Get<int64_t>("count");
  entry.reason = reader.Get("reason", std::string());
  reader.Done();
  if (entry.evidence == Evidence::kExact && !entry.count)
    throw base::DataError("an exact entry needs a \"count\"", where, kRemedy);
  if (entry.evidence == Evidence::kQuoted && entry.reason.empty())
    throw base::DataError("a quoted entry needs a \"reason\"", where, kRemedy);
  return entry;
}

// A name that the user did not give: unknown, it is the spec's mistake, not one of usage.
std::string PublishedCell(const std::string& name, const std::string& where) {
  try {
    return search::ToJson(search::FindArchitecture(name, where).genotype).dump();
  } catch (const base::Error& error) {
    throw base::DataError(error.message(), where, error.remedy());
  }
}

RowSpec ReadRow(const json& value, TableSpec& table, const std::string& where) {
  Reader reader(value, where);
  RowSpec row;
  row.number = reader.Get<int>("row");
  row.id = reader.Get<std::string>("id");
  row.title = reader.Get<std::string>("title");
  row.method = reader.Get<std::string>("method");
  row.status = reader.Choice<CellStatus>("status", {{"published", CellStatus::kPublished},
                                                    {"searched", CellStatus::kSearched},
                                                    {"external", CellStatus::kExternal}});
  row.large = reader.Get("large", false);
  if (row.status == CellStatus::kPublished || reader.Has("cell")) {
    row.cell = reader.Get<std::string>("cell");
    table.cells[row.cell] = PublishedCell(row.cell, where);
  }
  const auto is_column = [&](const std::string& id) {
    return std::ranges::any_of(table.columns, [&](const ColumnSpec& column) { return column.id == id; });
  };
  if (row.status == CellStatus::kSearched) {
    row.search = reader.Get<std::string>("search");
    if (!is_column(row.search)) throw base::DataError("\"search\" names no column", where, kRemedy);
  }
  const json& entries = reader.Child("entries");
  for (const ColumnSpec& column : table.columns)
    if (entries.contains(column.id))
      row.entries.push_back(ReadEntry(column.id, entries.at(column.id), where + ".entries." + column.id));
  if (row.entries.size() != entries.size()) throw base::DataError("an entry names no column", where, kRemedy);
  reader.Done();
  return row;
}

}  // namespace

const ColumnSpec& TableSpec::Column(const std::string& column_id) const {
  const auto found = std::ranges::find(columns, column_id, &ColumnSpec::id);
  PD_CHECK(found != columns.end(), "column {}", column_id);
  return *found;
}

const LevelSpec& TableSpec::Level(const std::string& level_id) const {
  const auto found = levels.find(level_id);
  if (found != levels.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, level] : levels) names.push_back(name);
  throw base::UsageError(fmt::format("{} has no level \"{}\"", id, level_id), "--level",
                         fmt::format("take one of {}", fmt::join(names, ", ")));
}

TableSpec ParseTableSpec(std::string_view text, const std::string& where) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw base::DataError("the spec is no JSON", where, kRemedy);
  Reader reader(value, where);
  if (reader.Get<int>("format") != 1) throw base::DataError("unknown format of a spec", where, kRemedy);
  TableSpec table;
  table.id = reader.Get<std::string>("id");
  table.title = reader.Get<std::string>("title");
  table.source = reader.Get<std::string>("source");
  table.paper_network = ReadTrain(reader.Child("paper_network"), where + ": paper_network");
  for (const json& column : reader.Child("columns"))
    table.columns.push_back(ReadColumn(column, fmt::format("{}: columns[{}]", where, table.columns.size())));
  for (const auto& [name, level] : reader.Child("levels").items())
    table.levels.emplace(name, ReadLevel(name, level, fmt::format("{}: levels.{}", where, name)));
  std::set<std::string> ids;
  for (const json& row : reader.Child("rows")) {
    table.rows.push_back(ReadRow(row, table, fmt::format("{}: rows[{}]", where, table.rows.size())));
    if (!ids.insert(table.rows.back().id).second)
      throw base::DataError(fmt::format("two rows are called \"{}\"", table.rows.back().id), where, kRemedy);
  }
  reader.Done();
  return table;
}

const char* Name(Evidence evidence) {
  switch (evidence) {
    case Evidence::kExact:
      return "exact";
    case Evidence::kStatistical:
      return "statistical";
    case Evidence::kCost:
      return "cost";
    case Evidence::kQuoted:
      return "quoted";
  }
  return "";
}

const char* Name(CellStatus status) {
  switch (status) {
    case CellStatus::kPublished:
      return "published";
    case CellStatus::kSearched:
      return "searched here";
    case CellStatus::kExternal:
      return "external";
  }
  return "";
}

json ToJson(const SearchSettings& s) {
  return {{"epochs", s.epochs},           {"batch", s.batch},      {"channels", s.channels}, {"cells", s.cells},
          {"train_limit", s.train_limit}, {"max_skip", s.max_skip}};
}

}  // namespace pdarts::experiment
