// pdarts derive --run DIR --max-skip M
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "draw/cell.h"
#include "search/derivation.h"
#include "train/run_log.h"

namespace pdarts::cli {

int RunDerive(const Arguments& arguments) {
  std::string run, alphas_file, out, svg;
  int max_skip = 2;
  OutputOptions output;
  OptionSet options("derive",
                    "Derives the cells again from the last alphas of a search, with another limit of skip-connects.\n"
                    "Searches nothing and changes nothing in the run's folder.");
  options.Group("Cell");
  options.Add("run", &run, "DIR", "the folder that search wrote");
  options.Add("alphas", &alphas_file, "FILE", "instead of --run: an alphas.jsonl; its last line counts");
  options.Add("max-skip", &max_skip, "M", "skip-connects the normal cell may keep", {.min = 0, .max = 8});
  options.Group("Output");
  options.Add("out", &out, "FILE", "write the cell there too: as JSON where the name ends with .json, else as text");
  options.Add("svg", &svg, "FILE", "draw both cells there");
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  if (run.empty() == alphas_file.empty())
    throw base::UsageError(run.empty() ? "nothing to derive from" : "two sources of alphas", "--run, --alphas",
                           "give the folder of a search, or a file of alphas");

  const std::filesystem::path file =
      run.empty() ? std::filesystem::path(alphas_file) : std::filesystem::path(run) / train::kAlphasFile;
  const train::AlphaEpoch last = train::LastAlphas(file);
  const search::Genotype genotype = search::DeriveRestricted(last.switches, last.alphas, max_skip);
  nlohmann::ordered_json json = search::ToJson(genotype);
  json["max_skip"] = max_skip;
  json["skip_connects"] = search::SkipConnects(genotype.normal);
  json["stage"] = last.stage;
  json["epoch"] = last.epoch;
  const std::string text = search::ToString(genotype) + "\n";
  if (!out.empty()) base::WriteFileAtomically(out, out.ends_with(".json") ? json.dump(2) + "\n" : text);
  if (!svg.empty())
    base::WriteFileAtomically(svg, draw::DrawCells(genotype, fmt::format("at most {} skip-connects", max_skip)));
  base::LogInfo(fmt::format("from stage {} epoch {}; the normal cell has {} skip-connects", last.stage, last.epoch,
                            search::SkipConnects(genotype.normal)));
  Print(output.json ? json.dump(2) + "\n" : text);
  return 0;
}

}  // namespace pdarts::cli
