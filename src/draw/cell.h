// A picture of one cell of a genotype.
#pragma once

#include <string>

#include "draw/svg.h"
#include "search/genotype.h"

namespace pdarts::draw {

enum class CellKind { kNormal, kReduction };

// Inputs on the left, the nodes by depth, the concatenation on the right; every edge in its operation's colour, with
// the operation's name in a box. `name`: whose cell, for the caption of a file; may be empty. Inline drawings have no
// caption and no background.
std::string DrawCell(const search::Genotype& genotype, CellKind kind, Svg::Use use, const std::string& name = "");

// Both cells below each other, as one file.
std::string DrawCells(const search::Genotype& genotype, const std::string& name);

}  // namespace pdarts::draw
