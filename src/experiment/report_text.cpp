#include <algorithm>

#include "experiment/report.h"
#include "train/progress.h"

namespace pdarts::experiment {
namespace {

constexpr int kTitleWidth = 39, kTextWidth = 118;

// Title, value, paper, stored, this run, best, difference, n; the verdict and the number of its note follow.
constexpr const char* kColumns = "{:<39} {:<17} {:>6} {:>7} {:>8} {:>6} {:>7} {:>2}";

const char* Colour(Verdict verdict) {
  switch (StandingOf(verdict)) {
    case Standing::kInBand:
      return "\x1b[32m";
    case Standing::kOutOfBand:
      return "\x1b[1;31m";
    case Standing::kUndecided:
      return "\x1b[33m";
    case Standing::kNeutral:
      break;
  }
  return "\x1b[2m";
}

// Breaks at blanks; the first line follows `first`, the others are indented as far.
std::string Wrap(const std::string& first, const std::string& text) {
  std::string out = first, indent(first.size(), ' ');
  size_t width = first.size();
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(' ', at), text.size());
    if (width > first.size() && width + 1 + end - at > kTextWidth) {
      out += "\n" + indent;
      width = indent.size();
    } else if (width > first.size()) {
      out += ' ', ++width;
    }
    out += text.substr(at, end - at);
    width += end - at;
    at = end + 1;
  }
  return out + "\n";
}

bool Quoted(const LineResult& line) {
  return std::ranges::all_of(line.entries, [](const EntryResult& e) { return e.verdict == Verdict::kQuoted; });
}

std::string Entry(const TableResult& result, const EntryResult& entry, const std::string& title, bool colours) {
  const ColumnSpec& column = result.table.Column(entry.spec.column);
  const Measured* m = entry.measured ? &*entry.measured : nullptr;
  const int digits = DigitsShown(column);
  const std::string columns =
      fmt::format(fmt::runtime(kColumns), title, fmt::format("{}, {}", column.title, column.unit),
                  FormatValue(entry.spec.paper, column.digits), FormatValue(entry.stored, digits),
                  m ? FormatValue(m->last.mean, digits) : "-", m && m->best ? FormatValue(m->best->mean, digits) : "",
                  FormatDifference(entry.difference, digits), m ? std::to_string(m->last.n) : "");
  return fmt::format("{}  {}{}{}\n", columns, colours ? Colour(entry.verdict) : "", Name(entry.verdict),
                     colours ? "\x1b[0m" : "");
}

// Rows that are only quoted need one line each.
std::string QuotedLine(const TableResult& result, const LineResult& line, int note) {
  std::string out = fmt::format("{:<{}}", line.row.title, kTitleWidth);
  for (const ColumnSpec& column : result.table.columns) {
    const auto entry = std::ranges::find(line.entries, column.id, [](const EntryResult& e) { return e.spec.column; });
    out += fmt::format(" {:>15}", entry == line.entries.end() ? "-" : FormatValue(entry->spec.paper, column.digits));
  }
  return out + fmt::format("  [{}]\n", note);
}

// Reasons and notes, each once, numbered in the order of their first use.
class Notes {
 public:
  int Number(const std::string& text) {
    const auto found = std::ranges::find(texts_, text);
    if (found != texts_.end()) return static_cast<int>(found - texts_.begin()) + 1;
    texts_.push_back(text);
    return static_cast<int>(texts_.size());
  }
  std::string Render() const {
    std::string out;
    for (size_t i = 0; i < texts_.size(); ++i)
      out += Wrap(fmt::format("{:>5} ", fmt::format("[{}]", i + 1)), texts_[i]);
    return out;
  }

 private:
  std::vector<std::string> texts_;
};

std::string Head(const TableResult& result) {
  std::string out = fmt::format("{}: {}\n", result.table.id, result.table.title);
  out += Wrap("", fmt::format("level {}: {}", result.setup.level, result.table.Level(result.setup.level).about));
  out += Wrap("", Claim(result));
  const LevelSpec& level = result.table.Level(result.setup.level);
  if (level.runs && !level.claims_paper) {
    std::string bands;
    for (const auto& [column, band] : level.stored_bands)
      bands += fmt::format("{}{} +-{} {}", bands.empty() ? "" : ", ", result.table.Column(column).title, band,
                           result.table.Column(column).unit);
    out += Wrap("", fmt::format("Bands around the stored values: {}. {}", bands, level.stored_rule));
  }
  return out + "\n";
}

std::string RunLines(const TableResult& result, bool colours, Notes& notes) {
  std::string out = fmt::format(fmt::runtime(kColumns), "architecture", "value", "paper", "stored", "this run", "best",
                                "diff.", "n") +
                    "  verdict\n";
  out += std::string(kTextWidth, '-') + "\n";
  for (const LineResult& line : result.lines) {
    if (Quoted(line)) continue;
    std::string title = line.row.title;
    for (const EntryResult& entry : line.entries) {
      std::string text = Entry(result, entry, title, colours);
      if (!entry.note.empty()) text.insert(text.size() - 1, fmt::format(" [{}]", notes.Number(entry.note)));
      out += text;
      title.clear();
    }
  }
  return out;
}

}  // namespace

std::string RenderText(const TableResult& result, bool colours) {
  Notes notes;
  std::string out = Head(result);
  if (!std::ranges::all_of(result.lines, Quoted)) out += RunLines(result, colours, notes) + "\n";
  if (std::ranges::any_of(result.lines, Quoted)) {
    out += fmt::format("{:<{}}", "quoted from the paper, not run here", kTitleWidth);
    for (const ColumnSpec& column : result.table.columns)
      out += fmt::format(" {:>15}", fmt::format("{}, {}", column.title, column.unit).substr(0, 17));
    out += "\n" + std::string(kTextWidth, '-') + "\n";
    for (const LineResult& line : result.lines)
      if (Quoted(line)) out += QuotedLine(result, line, notes.Number(line.entries.front().note));
    out += "\n";
  }
  out += notes.Render();
  if (!result.deviations.empty()) out += "Deviations from the paper's recipe:\n";
  for (const std::string& deviation : result.deviations) out += Wrap("    - ", deviation);
  const bool good = result.out_of_band + result.undecided == 0;
  const char* colour = !colours ? "" : result.out_of_band ? "\x1b[1;31m" : good ? "\x1b[1;32m" : "\x1b[1;33m";
  out += fmt::format("\n{}{}{}: {} ({} of work)\n", colour, Outcome(result), colours ? "\x1b[0m" : "",
                     VerdictCounts(result), train::FormatDuration(result.seconds));
  return out;
}

}  // namespace pdarts::experiment
