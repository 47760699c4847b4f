// pdarts report DIR
#include "experiment/report.h"

#include "base/log.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "experiment/catalogue.h"

namespace pdarts::cli {

int RunReport(const Arguments& arguments) {
  std::string folder;
  OutputOptions output;
  OptionSet options(
      "report",
      "Judges the records of a reproduce folder again and renders its table, JSON, CSV, Markdown and HTML.\n"
      "Runs nothing. Exit code as of reproduce: 0 all in band, 1 something out of band, 3 not decided.");
  options.AddPositional("DIR", &folder, "the folder that reproduce wrote", true);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  const experiment::TableResult result = experiment::LoadResult(folder);
  experiment::WriteReports(result, folder);
  Print(output.json ? experiment::RenderJson(result) : experiment::RenderText(result, ColourWanted()));
  base::LogInfo(fmt::format("written to {}: {}.html, .md, .csv, .json", folder, result.table.id));
  return static_cast<int>(result.exit_code());
}

}  // namespace pdarts::cli
