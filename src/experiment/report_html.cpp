#include <algorithm>
#include <nlohmann/json.hpp>

#include "draw/cell.h"
#include "experiment/chart.h"
#include "experiment/report.h"
#include "experiment/report_style.h"
#include "search/genotype.h"
#include "train/progress.h"

namespace pdarts::experiment {
namespace {

const char* Css(Standing standing) {
  switch (standing) {
    case Standing::kInBand:
      return "good";
    case Standing::kOutOfBand:
      return "bad";
    case Standing::kUndecided:
      return "doubt";
    case Standing::kNeutral:
      break;
  }
  return "calm";
}

std::string Card(const std::string& value, const std::string& label, const char* css = "") {
  return fmt::format("<div class=\"card {}\"><b>{}</b><span>{}</span></div>\n", css, draw::Escape(value),
                     draw::Escape(label));
}

std::string Cards(const TableResult& result) {
  const char* css = result.out_of_band ? "bad" : result.undecided ? "doubt" : result.in_band ? "good" : "";
  std::string out = "<div class=\"cards\">\n" + Card(Outcome(result), VerdictCounts(result), css);
  out += Card(result.setup.level, "level: " + result.table.Level(result.setup.level).about);
  out += Card(train::FormatDuration(result.seconds), "of work in all tasks");
  if (result.provenance)
    out += Card(result.provenance->device,
                fmt::format("{}, {} threads", result.provenance->cpu, result.provenance->threads));
  return out + "</div>\n";
}

std::string StripOf(const TableResult& result, const EntryResult& entry) {
  if (!entry.measured || entry.spec.evidence != Evidence::kStatistical) return "";
  const LevelSpec& level = result.table.Level(result.setup.level);
  const ColumnSpec& column = result.table.Column(entry.spec.column);
  const std::optional<double> reference = level.claims_paper ? entry.spec.paper : entry.stored;
  if (!reference) return "";
  const auto stored_band = level.stored_bands.find(column.id);
  const double band = level.claims_paper                        ? column.band
                      : stored_band == level.stored_bands.end() ? 0
                                                                : stored_band->second;
  Strip strip{.band_low = *reference - band,
              .band_high = *reference + band,
              .reference = *reference,
              .value = entry.measured->last.mean,
              .low = entry.measured->last.low,
              .high = entry.measured->last.high};
  for (const auto& search : entry.measured->runs)
    for (double run : search) strip.runs.push_back(run);
  return DrawStrip(strip);
}

std::string Number(const std::string& text, const char* css = "") {
  return fmt::format("<td class=\"number {}{}\">{}</td>", css, text == "-" || text.empty() ? " muted" : "",
                     text.empty() ? "" : text);
}

std::string EntryRow(const TableResult& result, const EntryResult& entry) {
  const ColumnSpec& column = result.table.Column(entry.spec.column);
  const Measured* m = entry.measured ? &*entry.measured : nullptr;
  const int digits = DigitsShown(column);
  std::string out = fmt::format("<td class=\"value\" title=\"{}\">{} <span class=\"unit\">{}</span></td>",
                                draw::Escape(column.rule), draw::Escape(column.title), draw::Escape(column.unit));
  out += Number(FormatValue(entry.spec.paper, column.digits)) + Number(FormatValue(entry.stored, digits));
  std::string value = m ? FormatValue(m->last.mean, digits) : "-";
  if (m && m->last.sd)
    value += fmt::format(" <span class=\"unit\">&plusmn; {} (n={})</span>", FormatValue(m->last.sd, digits), m->last.n);
  out += Number(value, "main") + Number(m && m->best ? FormatValue(m->best->mean, digits) : "");
  out += Number(FormatDifference(entry.difference, digits)) + "<td>" + StripOf(result, entry) + "</td>";
  out += fmt::format("<td class=\"verdict\"><span class=\"chip {}\">{}</span>", Css(StandingOf(entry.verdict)),
                     Name(entry.verdict));
  if (!entry.note.empty()) out += fmt::format("<small class=\"note\">{}</small>", draw::Escape(entry.note));
  return out + "</td>";
}

bool OnlyQuoted(const LineResult& line) {
  return std::ranges::all_of(line.entries, [](const EntryResult& e) { return e.verdict == Verdict::kQuoted; });
}

std::string MainTable(const TableResult& result) {
  std::string out =
      "<div class=\"sheet\"><table><thead><tr><th>architecture</th><th>value</th><th class=\"number\">paper</th>"
      "<th class=\"number\">stored</th><th class=\"number\">this run</th><th class=\"number\">best epoch</th>"
      "<th class=\"number\">difference</th><th></th><th>verdict</th></tr></thead>\n";
  for (const LineResult& line : result.lines) {
    if (OnlyQuoted(line)) continue;
    out += fmt::format("<tbody class=\"group\"><tr><td class=\"name\" rowspan=\"{}\">{}<small>{}, cell {}</small></td>",
                       line.entries.size(), draw::Escape(line.row.title), draw::Escape(line.row.method),
                       Name(line.row.status));
    for (size_t i = 0; i < line.entries.size(); ++i)
      out += (i ? "<tr>" : "") + EntryRow(result, line.entries[i]) + "</tr>\n";
    out += "</tbody>\n";
  }
  return out + "</table></div>\n";
}

std::string QuotedTable(const TableResult& result) {
  if (std::ranges::none_of(result.lines, OnlyQuoted)) return "";
  std::string out =
      "<h2>Quoted from the paper, not run here</h2>\n<div class=\"sheet\"><table><thead><tr><th>architecture</th>";
  for (const ColumnSpec& column : result.table.columns)
    out += fmt::format("<th class=\"number\">{} ({})</th>", draw::Escape(column.title), draw::Escape(column.unit));
  out += "<th>why it is not run</th></tr></thead>\n";
  for (const LineResult& line : result.lines) {
    if (!OnlyQuoted(line)) continue;
    out += fmt::format("<tbody class=\"group\"><tr><td class=\"name\">{}<small>{}</small></td>",
                       draw::Escape(line.row.title), draw::Escape(line.row.method));
    for (const ColumnSpec& column : result.table.columns) {
      const auto entry = std::ranges::find(line.entries, column.id, [](const EntryResult& e) { return e.spec.column; });
      out += Number(entry == line.entries.end() ? "-" : FormatValue(entry->spec.paper, column.digits));
    }
    out += fmt::format("<td><small class=\"note\">{}</small></td></tr></tbody>\n",
                       draw::Escape(line.entries.front().note));
  }
  return out + "</table></div>\n";
}

std::string Cells(const LineResult& line) {
  if (line.genotype.empty()) return "";
  const auto genotype = search::GenotypeFromJson(nlohmann::json::parse(line.genotype), line.row.id);
  std::string out = "<div class=\"cells\">";
  for (const auto& [kind, title] :
       {std::pair{draw::CellKind::kNormal, "normal cell"}, std::pair{draw::CellKind::kReduction, "reduction cell"}})
    out += fmt::format("<figure><figcaption>{}</figcaption>{}</figure>", title,
                       draw::DrawCell(genotype, kind, draw::Svg::Use::kInline));
  return out + "</div><details><summary>genotype</summary><pre>" + draw::Escape(search::ToString(genotype)) +
         "</pre></details>";
}

std::string LineSections(const TableResult& result) {
  std::string out;
  for (const LineResult& line : result.lines) {
    if (line.curves.empty() && (line.genotype.empty() || OnlyQuoted(line))) continue;
    out += fmt::format("<section class=\"line\"><header><h3>{}</h3><span>{}</span></header>\n",
                       draw::Escape(line.row.title), Name(line.row.status));
    if (!line.curves.empty()) out += "<div class=\"curves\">";
    for (const Curve& curve : line.curves)
      out +=
          fmt::format("<figure><figcaption>{}</figcaption>{}</figure>\n", draw::Escape(curve.label), DrawCurve(curve));
    if (!line.curves.empty()) out += "</div>";
    out += Cells(line) + "</section>\n";
  }
  if (out.empty()) return out;
  return "<h2>Runs and cells</h2>\n<p class=\"source\">Error in per cent over the epochs: thin, on the training "
         "images; strong, on "
         "the test images, the best epoch ringed. Dashed lines part the stages of a search.</p>\n" +
         out;
}

std::string Spread(const TableResult& result) {
  std::string out;
  for (const LineResult& line : result.lines)
    for (const EntryResult& entry : line.entries) {
      if (!entry.measured || (!entry.measured->spread.training_sd && !entry.measured->last.sd)) continue;
      const ColumnSpec& column = result.table.Column(entry.spec.column);
      const Measured& m = *entry.measured;
      out += fmt::format(
          "<tr><td>{}</td><td>{}</td>{}{}{}{}</tr>\n", draw::Escape(line.row.title), draw::Escape(column.title),
          Number(m.last.low ? fmt::format("{} to {}", FormatValue(m.last.low, 2), FormatValue(m.last.high, 2)) : "-"),
          Number(FormatValue(m.last.sd, 3)), Number(FormatValue(m.spread.search_sd, 3)),
          Number(FormatValue(m.spread.training_sd, 3)));
    }
  if (out.empty()) return out;
  return "<h2>Spread</h2>\n<div class=\"sheet\"><table><thead><tr><th>architecture</th><th>value</th><th "
         "class=\"number\">95% interval of the "
         "mean</th><th class=\"number\">sd</th><th class=\"number\">of the search</th><th class=\"number\">of training "
         "alone</th></tr></thead>"
         "<tbody>" +
         out + "</tbody></table></div>\n";
}

std::string About(const TableResult& result) {
  std::string out = "<h2>How this was made</h2>\n<div class=\"sheet\"><dl>";
  const auto fact = [&](const std::string& name, const std::string& value) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", draw::Escape(name), draw::Escape(value));
  };
  fact("command",
       fmt::format("pdarts reproduce {} --level {} --seed {}", result.table.id, result.setup.level, result.setup.seed));
  fact("version", result.setup.context.version);
  fact("recipe", result.setup.context.recipe);
  fact("runs", fmt::format("{} searches, {} trainings of each cell", result.setup.searches, result.setup.trainings));
  for (const auto& [column, use] : result.setup.datasets)
    fact(column, fmt::format("{}: {} training and {} test images, {} classes, digest {}", use.name, use.train_images,
                             use.test_images, use.classes, use.digest));
  if (result.provenance) {
    fact("machine", fmt::format("{}, {} threads", result.provenance->cpu, result.provenance->threads));
    fact("signature", result.provenance->signature);
    fact("finished", result.provenance->finished);
  }
  for (const ColumnSpec& column : result.table.columns) fact(column.title, column.rule);
  const LevelSpec& level = result.table.Level(result.setup.level);
  for (const auto& [column, band] : level.stored_bands)
    fact("band of " + column, fmt::format("{} {} around the stored value", band, result.table.Column(column).unit));
  if (!level.stored_rule.empty()) fact("bands", level.stored_rule);
  out += "</dl></div>\n";
  if (result.deviations.empty()) return out;
  out += "<h2>Deviations from the paper's recipe</h2>\n<div class=\"sheet\"><ul>";
  for (const std::string& deviation : result.deviations) out += "<li>" + draw::Escape(deviation) + "</li>";
  return out + "</ul></div>\n";
}

}  // namespace

std::string RenderHtml(const TableResult& result) {
  const std::string title = fmt::format("{}: {}", result.table.id, result.table.title);
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
         "<title>" +
         draw::Escape(title) + "</title><style>" + ReportStyle() + "</style></head>\n<body><main>\n<h1>" +
         draw::Escape(result.table.title) + "</h1>\n<p class=\"source\">" + draw::Escape(result.table.source) +
         "</p>\n" + Cards(result) + "<p>" + draw::Escape(Claim(result)) + "</p>\n" + MainTable(result) +
         QuotedTable(result) + Spread(result) + LineSections(result) + About(result) + "<footer>Written by pdarts " +
         draw::Escape(result.setup.context.version) + ".</footer>\n</main></body></html>\n";
}

}  // namespace pdarts::experiment
