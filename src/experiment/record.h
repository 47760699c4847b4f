// The provenance of one finished task: what went in, what came out, where it ran. Format: results/README.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pdarts::experiment {

// The value of a table that a record serves. One task may serve several: a search whose cell is trained at two widths.
struct Role {
  std::string table, level, line;
  std::string column;  // of the table, or "search"
  int search = 0;      // which search the cell came from; 0 where it was not searched here
  int training = 0;    // which training of that cell

  bool operator==(const Role&) const = default;
};

// An epoch, as the curves show it. Errors in per cent; absent where the epoch had no test.
struct CurvePoint {
  int stage = 0;  // from 1 in a search; 0 in a training
  int epoch = 0;  // from 1
  double train_loss = 0, train_error = 0;
  std::optional<double> test_error;
};

struct Metrics {
  std::optional<double> last_error, best_error;  // test error, per cent, of the last and of the best epoch
  std::optional<int> best_epoch;                 // from 1
  std::optional<int64_t> parameters, multiply_adds, multiply_adds_counter;
  double seconds = 0;
};

struct Provenance {
  std::string version;    // of pdarts
  std::string device;     // "cpu"
  std::string cpu;        // model name
  std::string signature;  // of the numerics: equal signatures give equal bits
  int threads = 0;
  std::string finished;  // UTC, ISO 8601
};

enum class TaskKind { kCount, kSearch, kTraining };
const char* Name(TaskKind kind);

struct Record {
  std::string key;  // SHA-256 of `inputs`
  TaskKind kind = TaskKind::kCount;
  std::string inputs;  // JSON, canonical: see task.h
  std::vector<Role> roles;
  Metrics metrics;
  std::string genotype;  // JSON; of a search, the cell it found
  std::vector<CurvePoint> curve;
  Provenance provenance;
};

nlohmann::ordered_json ToJson(const Record& record);

// Throws a data error that names `where` and what is wrong: not JSON, a missing key, a key that does not fit its
// inputs.
Record RecordFromJson(const nlohmann::json& value, const std::string& where);

// A file with one record, or with {"format": 1, "records": [...]}.
std::vector<Record> ParseRecords(std::string_view text, const std::string& where);

}  // namespace pdarts::experiment
