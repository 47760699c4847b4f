// A table of aligned columns for stdout.
#pragma once

#include <string>
#include <vector>

namespace pdarts::cli {

enum class Colour { kNone, kGood, kBad, kDoubtful, kDim };

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
  Cell(std::string cell_text, Colour cell_colour = Colour::kNone)
      : text(std::move(cell_text)), colour(cell_colour) {}  // NOLINT: made from plain text
  Cell(const char* cell_text) : text(cell_text) {}          // NOLINT
};

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  // No titles at all: the table prints without its head.
  explicit Table(std::vector<Column> columns);
  void AddRow(std::vector<Cell> cells);  // at most as many as columns; the rest stay empty
  void AddRule();                        // a line between two groups of rows

  // One line each, no trailing blanks. Widths count UTF-8 code points. Colours as ANSI sequences where `colours` is
  // true.
  std::string Render(bool colours) const;
  void Print() const;  // Render on stdout, with colours where it wants them

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;  // an empty row is a rule
};

}  // namespace pdarts::cli
