// What a finished run leaves for people to look at.
#pragma once

#include "train/search_run.h"

namespace pdarts::train {

class RunFolder;

// The chosen cell as genotype.json, genotype.txt, normal_cell.svg and reduction_cell.svg, the cells for every M as
// genotypes_by_max_skip.json, and charts of the run: curves.svg, alphas_normal.svg, alphas_reduce.svg.
void WriteSearchResults(const RunFolder& folder, const SearchResult& result, int max_skip);

// The chart of a training's epochs: curves.svg.
void WriteTrainingCurves(const RunFolder& folder);

}  // namespace pdarts::train
