// What a table of the paper claims, and how each of its values is measured: read from reproduce/*.json.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pdarts::experiment {

// What kind of proof a value can have.
enum class Evidence {
  kExact,        // counted on the network: equal or not
  kStatistical,  // varies with the seed: needs several runs
  kCost,         // time on the machine at hand: reported, never judged against another machine's
  kQuoted,       // not measured here; the entry says why
};

enum class CellStatus {
  kPublished,  // the cell is known and trained as it is
  kSearched,   // the cell is searched here
  kExternal,   // another method's network, not run here
};

enum class Measure { kError, kParameters, kCost };

struct ColumnSpec {
  std::string id, title, unit;
  std::string rule;     // how it is measured, for people
  std::string dataset;  // of an error: "cifar10" or "cifar100"
  Measure measure = Measure::kError;
  int digits = 2;    // that the paper prints
  double band = 0;   // half width, in the column's unit, inside which a mean counts as the paper's value
  int classes = 10;  // of the network that is trained or counted
};

struct EntrySpec {
  std::string column;
  std::optional<double> paper;
  Evidence evidence = Evidence::kQuoted;
  std::optional<int64_t> count;  // exact entries: parameters of the published cell, to the unit
  std::string reason;            // why it is quoted, or why it cannot agree with the paper
};

struct RowSpec {
  int number = 0;  // row of the paper's table, from 1; two lines may share one
  std::string id, title, method;
  CellStatus status = CellStatus::kExternal;
  std::string cell;    // published: an architecture (search/architectures.h)
  std::string search;  // searched: column whose dataset the search runs on
  bool large = false;  // trained at the larger width
  std::vector<EntrySpec> entries;
};

struct SearchSettings {
  int epochs = 25, batch = 96, channels = 16;
  std::array<int, 3> cells{5, 11, 17};
  int64_t train_limit = 0;  // images; 0: all
  int max_skip = 2;
};

struct TrainSettings {
  int epochs = 600, batch = 128, channels = 36, large_channels = 64, cells = 20;
  int64_t train_limit = 0, test_limit = 0;  // images; 0: all
};

struct LevelSpec {
  std::string id, about;
  std::string recipe = "paper";
  bool runs = false;          // searches and trains; else it only counts
  bool claims_paper = false;  // its errors may be judged against the paper
  bool needs_data = false;    // refuses the synthetic sets
  int searches = 1;           // searches a dataset
  int trainings = 1;          // trainings of each cell
  SearchSettings search;
  TrainSettings train;
  std::map<std::string, double> stored_bands;  // by column, around the stored value of this level
  std::string stored_rule;                     // why the bands are as wide as they are
  std::vector<std::string> deviations;         // from the paper's recipe
};

struct TableSpec {
  std::string id, title, source;
  TrainSettings paper_network;  // whose sizes the parameter column lists
  std::vector<ColumnSpec> columns;
  std::vector<RowSpec> rows;
  std::map<std::string, LevelSpec> levels;
  std::map<std::string, std::string> cells;  // the rows' genotypes as compact JSON, by architecture

  const ColumnSpec& Column(const std::string& id) const;  // a bug where there is none: the parser checked
  const LevelSpec& Level(const std::string& id) const;    // a usage error that lists the levels
};

// `where` names the text in errors. Throws a data error that says which key is wrong.
TableSpec ParseTableSpec(std::string_view text, const std::string& where);

const char* Name(Evidence evidence);
const char* Name(CellStatus status);

// For task keys and run.json.
nlohmann::json ToJson(const SearchSettings& settings);

}  // namespace pdarts::experiment
