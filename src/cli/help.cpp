// pdarts help [VERB]
#include "cli/help.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"

namespace pdarts::cli {

std::string HelpText() {
  std::string text =
      "usage: pdarts VERB [options]\n\n"
      "Searches convolutional cells by P-DARTS, trains and evaluates the networks built from them.\n\n";
  for (const Command& command : Commands()) text += fmt::format("  {:<11}{}\n", command.name, command.summary);
  return text + "\npdarts VERB --help prints the options of a verb.\n";
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
