#include "experiment/compare.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiment/report.h"

namespace pdarts::experiment {
namespace {

const EntryResult* FindEntry(const TableResult& result, const std::string& line, const std::string& column) {
  for (const LineResult& one : result.lines)
    for (const EntryResult& entry : one.entries)
      if (one.row.id == line && entry.spec.column == column) return &entry;
  return nullptr;
}

void Judge(const EntryResult& spec, const Measured& a, const Measured& b, ComparedEntry& out) {
  out.difference = b.last.mean - a.last.mean;
  if (a.runs == b.runs) {
    out.agreement = Agreement::kEqual;
  } else if (spec.spec.evidence == Evidence::kExact) {
    out.agreement = Agreement::kDifferent;
  } else if (a.last.sd && b.last.sd) {
    out.interval = WelchInterval(a.last, b.last);
    const bool holds_zero = out.interval->low <= 0 && out.interval->high >= 0;
    out.agreement = holds_zero ? Agreement::kNoSign : Agreement::kDifferent;
  } else {
    out.agreement = Agreement::kUndecided;
  }
}

std::vector<std::string> SetupDifferences(const RunSetup& a, const RunSetup& b) {
  std::vector<std::string> list;
  const auto both = [&](const char* what, const std::string& x, const std::string& y) {
    if (x != y) list.push_back(fmt::format("{}: {} and {}", what, x, y));
  };
  both("level", a.level, b.level);
  both("version", a.context.version, b.context.version);
  both("backend", a.context.backend, b.context.backend);
  both("recipe", a.context.recipe, b.context.recipe);
  both("seed", std::to_string(a.seed), std::to_string(b.seed));
  both("searches", std::to_string(a.searches), std::to_string(b.searches));
  both("trainings", std::to_string(a.trainings), std::to_string(b.trainings));
  for (const auto& [name, use] : a.datasets)
    if (const auto other = b.datasets.find(name); other != b.datasets.end())
      both(name.c_str(), use.digest.substr(0, 12), other->second.digest.substr(0, 12));
  return list;
}

}  // namespace

const char* Name(Agreement agreement) {
  constexpr std::array kNames{"equal", "no sign of a difference", "different", "undecided", "in one only"};
  return kNames[static_cast<size_t>(agreement)];
}

base::ExitCode Comparison::exit_code() const {
  const auto any = [&](Agreement wanted) {
    return std::ranges::any_of(entries, [&](const ComparedEntry& e) { return e.agreement == wanted; });
  };
  if (any(Agreement::kDifferent)) return base::ExitCode::kOutOfBand;
  if (any(Agreement::kUndecided) || any(Agreement::kOneSided)) return base::ExitCode::kInconclusive;
  return base::ExitCode::kOk;
}

Comparison Compare(const TableResult& a, const TableResult& b) {
  if (a.table.id != b.table.id)
    throw base::UsageError(fmt::format("{} and {} are different tables", a.table.id, b.table.id), "compare",
                           "give two folders of the same table");
  Comparison out;
  out.differences_of_setup = SetupDifferences(a.setup, b.setup);
  for (const RowSpec& row : a.table.rows)
    for (const EntrySpec& spec : row.entries) {
      if (spec.evidence == Evidence::kCost) continue;  // times of two runs are no result of the method
      const EntryResult* in_a = FindEntry(a, row.id, spec.column);
      const EntryResult* in_b = FindEntry(b, row.id, spec.column);
      const bool has_a = in_a && in_a->measured, has_b = in_b && in_b->measured;
      if (!has_a && !has_b) continue;
      ComparedEntry entry{.line = row.id, .title = row.title, .column = spec.column};
      if (has_a) entry.a = in_a->measured->last.mean;
      if (has_b) entry.b = in_b->measured->last.mean;
      if (has_a && has_b) Judge(*in_a, *in_a->measured, *in_b->measured, entry);
      out.entries.push_back(std::move(entry));
    }
  return out;
}

std::string RenderText(const Comparison& comparison, const TableSpec& table, bool colours) {
  std::string out = fmt::format("{:<40} {:<16} {:>9} {:>9} {:>11}  {:<17} {}\n", "architecture", "value", "A", "B",
                                "difference", "95% interval", "");
  out += std::string(118, '-') + "\n";
  std::string last;
  for (const ComparedEntry& entry : comparison.entries) {
    const ColumnSpec& column = table.Column(entry.column);
    const int digits = DigitsShown(column);
    const char* colour = !colours                                   ? ""
                         : entry.agreement == Agreement::kDifferent ? "\x1b[1;31m"
                         : entry.agreement <= Agreement::kNoSign    ? "\x1b[32m"
                                                                    : "\x1b[33m";
    out += fmt::format("{:<40} {:<16} {:>9} {:>9} {:>11}  {:<17} {}{}{}\n", entry.line == last ? "" : entry.title,
                       fmt::format("{}, {}", column.title, column.unit), FormatValue(entry.a, digits),
                       FormatValue(entry.b, digits), FormatDifference(entry.difference, digits),
                       entry.interval ? fmt::format("{} to {}", FormatDifference(entry.interval->low, digits),
                                                    FormatDifference(entry.interval->high, digits))
                                      : "",
                       colour, Name(entry.agreement), colours ? "\x1b[0m" : "");
    last = entry.line;
  }
  if (comparison.entries.empty()) out += "neither of the two has measured anything\n";
  for (const std::string& difference : comparison.differences_of_setup)
    out += "note: the runs differ in " + difference + "\n";
  return out;
}

std::string RenderJson(const Comparison& comparison) {
  using nlohmann::ordered_json;
  const auto nullable = [](const std::optional<double>& v) { return v ? ordered_json(*v) : ordered_json(nullptr); };
  ordered_json entries = ordered_json::array();
  for (const ComparedEntry& e : comparison.entries)
    entries.push_back({{"line", e.line},
                       {"column", e.column},
                       {"a", nullable(e.a)},
                       {"b", nullable(e.b)},
                       {"difference", nullable(e.difference)},
                       {"low95", e.interval ? ordered_json(e.interval->low) : ordered_json(nullptr)},
                       {"high95", e.interval ? ordered_json(e.interval->high) : ordered_json(nullptr)},
                       {"agreement", Name(e.agreement)}});
  const ordered_json out = {{"format", 1},
                            {"setup_differences", comparison.differences_of_setup},
                            {"exit_code", static_cast<int>(comparison.exit_code())},
                            {"entries", std::move(entries)}};
  return out.dump(1) + "\n";
}

}  // namespace pdarts::experiment
