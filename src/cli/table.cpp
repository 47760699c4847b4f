#include "cli/table.h"

#include <algorithm>

#include "base/error.h"
#include "cli/output.h"

namespace pdarts::cli {
namespace {

size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Coloured(const Cell& cell) {
  switch (cell.colour) {
    case Colour::kNone:
      return cell.text;
    case Colour::kGood:
      return "\033[32m" + cell.text + "\033[0m";
    case Colour::kBad:
      return "\033[31m" + cell.text + "\033[0m";
    case Colour::kDoubtful:
      return "\033[33m" + cell.text + "\033[0m";
    case Colour::kDim:
      return "\033[2m" + cell.text + "\033[0m";
  }
  return cell.text;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<Cell> cells) {
  PD_CHECK(!cells.empty() && cells.size() <= columns_.size(), "{} cells in a table of {} columns", cells.size(),
           columns_.size());
  rows_.push_back(std::move(cells));
}

void Table::AddRule() { rows_.emplace_back(); }

std::string Table::Render(bool colours) const {
  std::vector<std::vector<Cell>> lines = rows_;
  const bool titled = std::ranges::any_of(columns_, [](const Column& column) { return !column.title.empty(); });
  if (titled) {
    std::vector<Cell> head;
    for (const Column& column : columns_) head.emplace_back(column.title);
    lines.insert(lines.begin(), {head, {}});
  }
  std::vector<size_t> widths(columns_.size());
  size_t total = 2 * (columns_.size() - 1);
  for (size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& line : lines) widths[i] = std::max(widths[i], i < line.size() ? Width(line[i].text) : 0);
    total += widths[i];
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string blanks(widths[i] - Width(line[i].text), ' '),
          shown = colours ? Coloured(line[i]) : line[i].text;
      row += (i == 0 ? "" : "  ") + (columns_[i].align == Align::kRight ? blanks + shown : shown + blanks);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += (line.empty() ? std::string(total, '-') : row) + "\n";
  }
  return text;
}

void Table::Print() const { cli::Print(Render(ColourWanted())); }

}  // namespace pdarts::cli
