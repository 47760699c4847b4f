#include "experiment/report.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace pdarts::experiment {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

template <class T>
ordered_json Nullable(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json ToJson(const Summary& s) {
  return {{"n", s.n},
          {"mean", s.mean},
          {"sd", Nullable(s.sd)},
          {"low95", Nullable(s.low)},
          {"high95", Nullable(s.high)},
          {"min", s.min},
          {"max", s.max}};
}

ordered_json ToJson(const EntryResult& entry) {
  ordered_json out = {{"column", entry.spec.column},
                      {"evidence", Name(entry.spec.evidence)},
                      {"paper", Nullable(entry.spec.paper)},
                      {"stored", Nullable(entry.stored)}};
  if (entry.measured) {
    const Measured& m = *entry.measured;
    out["measured"] = {{"last", ToJson(m.last)},
                       {"best", m.best ? ToJson(*m.best) : ordered_json(nullptr)},
                       {"search_sd", Nullable(m.spread.search_sd)},
                       {"training_sd", Nullable(m.spread.training_sd)},
                       {"runs", m.runs}};
  }
  out["difference"] = Nullable(entry.difference);
  out["verdict"] = Name(entry.verdict);
  if (!entry.note.empty()) out["note"] = entry.note;
  return out;
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string CsvNumber(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }

std::string MarkdownText(const std::string& text) {
  std::string out;
  for (char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

std::string FormatValue(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", RoundTo(*value, digits), digits) : "-";
}

std::string FormatDifference(const std::optional<double>& value, int digits) {
  if (!value) return "";
  const double rounded = RoundTo(*value, digits);
  return fmt::format("{:+.{}f}", rounded == 0 ? 0.0 : rounded, digits);
}

int DigitsShown(const ColumnSpec& column) { return column.measure == Measure::kCost ? 4 : std::max(column.digits, 2); }

std::string VerdictCounts(const TableResult& result) {
  std::map<Verdict, int> counts;
  for (const LineResult& line : result.lines)
    for (const EntryResult& entry : line.entries) ++counts[entry.verdict];
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : counts) parts.push_back(fmt::format("{} {}", count, Name(verdict)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string Claim(const TableResult& result) {
  const LevelSpec& level = result.table.Level(result.setup.level);
  if (!level.runs) return "Sizes are counted on the paper's networks; errors need a level that trains.";
  if (!level.claims_paper)
    return "Errors are held against the stored run of this level, never against the paper; sizes are the paper's "
           "networks'.";
  if (!result.deviations.empty())
    return "The run deviates from the paper's recipe, so its errors claim nothing of the paper.";
  return "The paper's recipe: errors are held against the paper by the 95% interval of their mean.";
}

std::string Outcome(const TableResult& result) {
  if (result.out_of_band > 0) return "out of band";
  if (result.undecided > 0) return "inconclusive";
  return result.in_band > 0 ? "all in band" : "nothing to judge";
}

std::string RenderJson(const TableResult& result) {
  ordered_json lines = ordered_json::array();
  for (const LineResult& line : result.lines) {
    ordered_json entries = ordered_json::array();
    for (const EntryResult& entry : line.entries) entries.push_back(ToJson(entry));
    ordered_json one = {{"row", line.row.number},
                        {"id", line.row.id},
                        {"title", line.row.title},
                        {"method", line.row.method},
                        {"cell_status", Name(line.row.status)},
                        {"entries", std::move(entries)}};
    if (!line.genotype.empty()) one["genotype"] = json::parse(line.genotype);
    lines.push_back(std::move(one));
  }
  const ordered_json out = {{"format", 1},
                            {"table", result.table.id},
                            {"title", result.table.title},
                            {"source", result.table.source},
                            {"setup", ToJson(result.setup)},
                            {"outcome", Outcome(result)},
                            {"exit_code", static_cast<int>(result.exit_code())},
                            {"in_band", result.in_band},
                            {"out_of_band", result.out_of_band},
                            {"undecided", result.undecided},
                            {"deviations", result.deviations},
                            {"seconds", result.seconds},
                            {"lines", std::move(lines)}};
  return out.dump(1) + "\n";
}

std::string RenderCsv(const TableResult& result) {
  std::string out =
      "row,line,architecture,cell,column,unit,evidence,paper,stored,last_mean,last_sd,last_low95,last_high95,n,"
      "best_mean,search_sd,training_sd,difference,verdict,note\r\n";
  for (const LineResult& line : result.lines)
    for (const EntryResult& entry : line.entries) {
      const ColumnSpec& column = result.table.Column(entry.spec.column);
      const Measured* m = entry.measured ? &*entry.measured : nullptr;
      const std::vector<std::string> fields = {std::to_string(line.row.number),
                                               line.row.id,
                                               line.row.title,
                                               Name(line.row.status),
                                               column.id,
                                               column.unit,
                                               Name(entry.spec.evidence),
                                               CsvNumber(entry.spec.paper),
                                               CsvNumber(entry.stored),
                                               m ? CsvNumber(m->last.mean) : "",
                                               m ? CsvNumber(m->last.sd) : "",
                                               m ? CsvNumber(m->last.low) : "",
                                               m ? CsvNumber(m->last.high) : "",
                                               m ? std::to_string(m->last.n) : "",
                                               m && m->best ? CsvNumber(m->best->mean) : "",
                                               m ? CsvNumber(m->spread.search_sd) : "",
                                               m ? CsvNumber(m->spread.training_sd) : "",
                                               CsvNumber(entry.difference),
                                               Name(entry.verdict),
                                               entry.note};
      for (size_t i = 0; i < fields.size(); ++i) out += (i ? "," : "") + CsvField(fields[i]);
      out += "\r\n";
    }
  return out;
}

std::string RenderMarkdown(const TableResult& result) {
  std::string out = fmt::format("# {}: {}\n\nLevel `{}`: {}. Outcome: **{}** ({}).\n\n{}\n\n", result.table.id,
                                result.table.title, result.setup.level, result.table.Level(result.setup.level).about,
                                Outcome(result), VerdictCounts(result), Claim(result));
  out +=
      "| architecture | value | paper | stored | this run (last) | best | 95% interval | n | difference | verdict |\n";
  out += "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
  for (const LineResult& line : result.lines)
    for (const EntryResult& entry : line.entries) {
      const ColumnSpec& column = result.table.Column(entry.spec.column);
      const Measured* m = entry.measured ? &*entry.measured : nullptr;
      const int digits = DigitsShown(column);
      out += fmt::format(
          "| {} | {} ({}) | {} | {} | {} | {} | {} | {} | {} | {}{} |\n", MarkdownText(line.row.title), column.title,
          column.unit, FormatValue(entry.spec.paper, column.digits), FormatValue(entry.stored, digits),
          m ? FormatValue(m->last.mean, digits) : "-", m && m->best ? FormatValue(m->best->mean, digits) : "-",
          m && m->last.low
              ? fmt::format("{} to {}", FormatValue(m->last.low, digits), FormatValue(m->last.high, digits))
              : "-",
          m ? std::to_string(m->last.n) : "-", FormatDifference(entry.difference, digits), Name(entry.verdict),
          entry.note.empty() ? "" : ": " + MarkdownText(entry.note));
    }
  if (!result.deviations.empty()) out += "\nDeviations from the paper's recipe:\n\n";
  for (const std::string& deviation : result.deviations) out += "- " + deviation + "\n";
  return out;
}

void WriteReports(const TableResult& result, const std::filesystem::path& folder) {
  const auto file = [&](const char* ending) { return folder / (result.table.id + ending); };
  base::WriteFileAtomically(file(".json"), RenderJson(result));
  base::WriteFileAtomically(file(".csv"), RenderCsv(result));
  base::WriteFileAtomically(file(".md"), RenderMarkdown(result));
  base::WriteFileAtomically(file(".html"), RenderHtml(result));
}

}  // namespace pdarts::experiment
