#include "experiment/record.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_number.h"

namespace pdarts::experiment {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kRemedy = "delete the file and run again: its task is then repeated";

template <class T>
void Put(ordered_json& out, const char* key, const std::optional<T>& value) {
  if (value) out[key] = *value;
}

template <class T>
std::optional<T> Optional(const json& value, const char* key) {
  if (!value.contains(key)) return std::nullopt;
  if constexpr (std::integral<T>) {
    return base::WholeNumber<T>(value.at(key));
  } else {
    return value.at(key).get<T>();
  }
}

ordered_json MetricsToJson(const Metrics& metrics) {
  ordered_json out = ordered_json::object();
  Put(out, "last_error", metrics.last_error);
  Put(out, "best_error", metrics.best_error);
  Put(out, "best_epoch", metrics.best_epoch);
  Put(out, "parameters", metrics.parameters);
  Put(out, "multiply_adds", metrics.multiply_adds);
  Put(out, "multiply_adds_counter", metrics.multiply_adds_counter);
  out["seconds"] = metrics.seconds;
  return out;
}

Metrics MetricsFromJson(const json& value) {
  return {.last_error = Optional<double>(value, "last_error"),
          .best_error = Optional<double>(value, "best_error"),
          .best_epoch = Optional<int>(value, "best_epoch"),
          .parameters = Optional<int64_t>(value, "parameters"),
          .multiply_adds = Optional<int64_t>(value, "multiply_adds"),
          .multiply_adds_counter = Optional<int64_t>(value, "multiply_adds_counter"),
          .seconds = value.at("seconds").get<double>()};
}

ordered_json CurveToJson(const std::vector<CurvePoint>& curve) {
  ordered_json out = ordered_json::array();
  for (const CurvePoint& point : curve) {
    ordered_json one;
    if (point.stage > 0) one["stage"] = point.stage;
    one["epoch"] = point.epoch;
    one["train_loss"] = point.train_loss;
    one["train_error"] = point.train_error;
    Put(one, "test_error", point.test_error);
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<CurvePoint> CurveFromJson(const json& value) {
  std::vector<CurvePoint> curve;
  for (const json& one : value)
    curve.push_back({.stage = Optional<int>(one, "stage").value_or(0),
                     .epoch = base::WholeNumber<int>(one.at("epoch")),
                     .train_loss = one.at("train_loss").get<double>(),
                     .train_error = one.at("train_error").get<double>(),
                     .test_error = Optional<double>(one, "test_error")});
  return curve;
}

std::vector<Role> RolesFromJson(const json& value) {
  std::vector<Role> roles;
  for (const json& one : value)
    roles.push_back({.table = one.at("table").get<std::string>(),
                     .level = one.at("level").get<std::string>(),
                     .line = one.at("line").get<std::string>(),
                     .column = one.at("column").get<std::string>(),
                     .search = base::WholeNumber<int>(one.at("search")),
                     .training = base::WholeNumber<int>(one.at("training"))});
  return roles;
}

TaskKind KindFromName(const std::string& name, const std::string& where) {
  for (TaskKind kind : {TaskKind::kCount, TaskKind::kSearch, TaskKind::kTraining})
    if (name == Name(kind)) return kind;
  throw base::DataError(fmt::format("unknown kind of task \"{}\"", name), where, kRemedy);
}

Provenance ProvenanceFromJson(const json& value) {
  return {.version = value.at("version").get<std::string>(),
          .device = value.at("device").get<std::string>(),
          .cpu = value.at("cpu").get<std::string>(),
          .signature = value.at("signature").get<std::string>(),
          .threads = base::WholeNumber<int>(value.at("threads")),
          .finished = value.at("finished").get<std::string>()};
}

void CheckValues(const Record& record, const std::string& where) {
  const auto percent = [&](const std::optional<double>& error) {
    if (error && !(*error >= 0 && *error <= 100))
      throw base::DataError("a test error is not between 0 and 100", where, kRemedy);
  };
  percent(record.metrics.last_error);
  percent(record.metrics.best_error);
  if (record.kind == TaskKind::kTraining && !record.metrics.last_error)
    throw base::DataError("the record of a training has no last_error", where, kRemedy);
  if (record.kind == TaskKind::kSearch && record.genotype.empty())
    throw base::DataError("the record of a search has no genotype", where, kRemedy);
  if (record.kind == TaskKind::kCount && !record.metrics.parameters)
    throw base::DataError("the record of a count has no parameters", where, kRemedy);
  if (base::Sha256Hex(record.inputs) != record.key)
    throw base::DataError("the record's key is not the hash of its inputs", where, kRemedy);
}

}  // namespace

const char* Name(TaskKind kind) {
  switch (kind) {
    case TaskKind::kCount:
      return "count";
    case TaskKind::kSearch:
      return "search";
    case TaskKind::kTraining:
      return "training";
  }
  return "";
}

ordered_json ToJson(const Record& record) {
  ordered_json roles = ordered_json::array();
  for (const Role& role : record.roles)
    roles.push_back({{"table", role.table},
                     {"level", role.level},
                     {"line", role.line},
                     {"column", role.column},
                     {"search", role.search},
                     {"training", role.training}});
  const Provenance& p = record.provenance;
  ordered_json out = {{"format", 1}, {"kind", Name(record.kind)}, {"key", record.key}, {"roles", std::move(roles)}};
  out["inputs"] = json::parse(record.inputs);
  out["metrics"] = MetricsToJson(record.metrics);
  if (!record.genotype.empty()) out["genotype"] = json::parse(record.genotype);
  if (!record.curve.empty()) out["curve"] = CurveToJson(record.curve);
  out["provenance"] = {{"version", p.version},     {"device", p.device},   {"cpu", p.cpu},
                       {"signature", p.signature}, {"threads", p.threads}, {"finished", p.finished}};
  return out;
}

Record RecordFromJson(const json& value, const std::string& where) {
  try {
    if (value.at("format") != 1) throw base::DataError("unknown format of a record", where, kRemedy);
    Record record;
    record.kind = KindFromName(value.at("kind").get<std::string>(), where);
    record.key = value.at("key").get<std::string>();
    record.roles = RolesFromJson(value.at("roles"));
    record.inputs = value.at("inputs").dump();
    record.metrics = MetricsFromJson(value.at("metrics"));
    if (value.contains("genotype")) record.genotype = value.at("genotype").dump();
    if (value.contains("curve")) record.curve = CurveFromJson(value.at("curve"));
    record.provenance = ProvenanceFromJson(value.at("provenance"));
    CheckValues(record, where);
    return record;
  } catch (const json::exception& error) {
    throw base::DataError(fmt::format("the record is malformed ({})", error.what()), where, kRemedy);
  }
}

std::vector<Record> ParseRecords(std::string_view text, const std::string& where) {
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw base::DataError("the record is no JSON, or cut short", where, kRemedy);
  std::vector<Record> records;
  if (!value.is_object() || !value.contains("records")) {
    records.push_back(RecordFromJson(value, where));
    return records;
  }
  const json& list = value["records"];
  if (value.value("format", json()) != 1 || !list.is_array())
    throw base::DataError("unknown format of a list of records", where, kRemedy);
  for (const json& one : list)
    records.push_back(RecordFromJson(one, fmt::format("{}: records[{}]", where, records.size())));
  return records;
}

}  // namespace pdarts::experiment
