// pdarts compare A B
#include "experiment/compare.h"

#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "experiment/catalogue.h"

namespace pdarts::cli {

int RunCompare(const Arguments& arguments) {
  std::string a, b;
  OutputOptions output;
  OptionSet options(
      "compare",
      "Compares two folders that reproduce wrote, value by value, with the 95% interval of the difference.\n"
      "Exit code: 0 no difference, 1 a difference, 3 not decided.");
  options.AddPositional("A", &a, "the first folder", true);
  options.AddPositional("B", &b, "the second folder", true);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  const experiment::TableResult first = experiment::LoadResult(a), second = experiment::LoadResult(b);
  const experiment::Comparison comparison = experiment::Compare(first, second);
  Print(output.json ? experiment::RenderJson(comparison)
                    : experiment::RenderText(comparison, first.table, ColourWanted()));
  return static_cast<int>(comparison.exit_code());
}

}  // namespace pdarts::cli
