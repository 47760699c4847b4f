#include "train/run_drawings.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "draw/cell.h"
#include "search/derivation.h"
#include "train/run_folder.h"
#include "train/run_log.h"

namespace pdarts::train {
namespace {

void DrawAlphaLogs(const RunFolder& folder, const search::Genotype& genotype) {
  std::vector<draw::EdgeEpoch> normal, reduce;
  for (const AlphaEpoch& epoch : ReadAlphas(folder.File(kAlphasFile))) {
    normal.push_back({epoch.stage, epoch.switches.normal, search::SoftmaxRows(epoch.alphas.normal)});
    reduce.push_back({epoch.stage, epoch.switches.reduce, search::SoftmaxRows(epoch.alphas.reduce)});
  }
  base::WriteFileAtomically(folder.File("alphas_normal.svg"),
                            draw::DrawAlphas(normal, "Search of the normal cell", genotype.normal));
  base::WriteFileAtomically(folder.File("alphas_reduce.svg"),
                            draw::DrawAlphas(reduce, "Search of the reduction cell", genotype.reduce));
}

}  // namespace

void WriteSearchResults(const RunFolder& folder, const SearchResult& result, int max_skip) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const auto& [m, genotype] : result.by_max_skip) all[std::to_string(m)] = search::ToJson(genotype);
  nlohmann::ordered_json chosen = search::ToJson(result.genotype);
  chosen["max_skip"] = max_skip;
  base::WriteFileAtomically(folder.File("genotype.json"), chosen.dump(2) + "\n");
  base::WriteFileAtomically(folder.File("genotype.txt"), search::ToString(result.genotype) + "\n");
  base::WriteFileAtomically(folder.File("genotypes_by_max_skip.json"), all.dump(2) + "\n");

  const auto cell = [&](draw::CellKind kind) { return draw::DrawCell(result.genotype, kind, draw::Svg::Use::kFile); };
  base::WriteFileAtomically(folder.File("normal_cell.svg"), cell(draw::CellKind::kNormal));
  base::WriteFileAtomically(folder.File("reduction_cell.svg"), cell(draw::CellKind::kReduction));
  base::WriteFileAtomically(folder.File("curves.svg"),
                            draw::DrawRun(ReadEpochs(folder.File(kMetricsFile)), "Search", "validation"));
  DrawAlphaLogs(folder, result.genotype);
}

void WriteTrainingCurves(const RunFolder& folder) {
  base::WriteFileAtomically(folder.File("curves.svg"),
                            draw::DrawRun(ReadEpochs(folder.File(kMetricsFile)), "Training", "test"));
}

}  // namespace pdarts::train
