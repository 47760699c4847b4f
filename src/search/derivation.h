// From architecture parameters to fewer operations, and to a cell: pure functions of the switches and alphas.
#pragma once

#include <map>

#include "search/genotype.h"

namespace pdarts::search {

// Softmax over the operations present on each edge.
EdgeAlphas SoftmaxRows(const EdgeAlphas& alphas);

// Search-space approximation (paper, section 3.2): each edge loses its `dropped` operations of lowest softmax weight;
// of equal ones the first goes first. `dropped` is 3 after the first stage and 2 after the second. `none` competes like
// any other.
Switches Prune(const Switches& switches, const Alphas& alphas, int dropped);

// The cells of the last stage: on each edge `none` goes first, then the lowest of the rest, until one operation is
// left; an edge's strength is its largest softmax value but none's; node 2 keeps both edges, the others their two
// strongest (ties: the higher input).
Genotype Derive(const Switches& switches, const Alphas& alphas);

int SkipConnects(const std::vector<GenotypeEdge>& edges);

// Search-space regularisation (paper, section 3.3): Derive, and while the normal cell has more than `max_skip`
// skip-connects, that of the smallest softmax value is set to zero and the cell is chosen again. The reduction cell is
// not restricted. A data error where an edge the cell needs offers nothing but a skip-connect.
Genotype DeriveRestricted(const Switches& switches, const Alphas& alphas, int max_skip);

// DeriveRestricted for every M from the number of skip-connects of the unrestricted cell down to 0, or to the last that
// can be kept.
std::map<int, Genotype> DeriveAll(const Switches& switches, const Alphas& alphas);

}  // namespace pdarts::search
