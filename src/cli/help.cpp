// pdarts help [VERB]
#include "cli/help.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"

namespace pdarts::cli {
namespace {

constexpr std::pair<const char*, const char*> kExitCodes[] = {
    {"0", "done"},
    {"1", "a comparison that does not hold"},
    {"2", "usage: options, genotypes, configuration files"},
    {"3", "a comparison that cannot be decided"},
    {"4", "data: datasets, checkpoints, output folders"},
    {"5", "device or memory"},
    {"70", "a bug of pdarts"},
    {"130, 143", "stopped by SIGINT or SIGTERM after a checkpoint"},
};

}  // namespace

std::string HelpText() {
  std::string text =
      "usage: pdarts VERB [options]\n\n"
      "Searches convolutional cells by P-DARTS, trains and evaluates the networks built from them.\n\n";
  for (const Command& command : Commands()) text += fmt::format("  {:<11}{}\n", command.name, command.summary);
  text += "\npdarts VERB --help prints the options of a verb.\n\nExit codes:\n";
  for (const auto& [code, meaning] : kExitCodes) text += fmt::format("  {:<9}{}\n", code, meaning);
  return text;
}

int RunHelp(const Arguments& arguments) {
  std::string verb;
  OptionSet options("help", "Prints the list of verbs, or the options of one.");
  options.AddPositional("VERB", &verb, "the verb to explain", false);
  if (!options.Parse(arguments)) return 0;
  if (!verb.empty()) return RunMain({verb, "--help"});
  Print(HelpText());
  return 0;
}

}  // namespace pdarts::cli
