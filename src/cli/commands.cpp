#include "cli/commands.h"

#include "base/error.h"

namespace pdarts::cli {

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      {"search", "search a cell in three stages", RunSearchVerb},
      {"derive", "derive a search's cells again with another limit of skip-connects", RunDerive},
      {"train", "train the network built from a cell, and test it", RunTrainVerb},
      {"eval", "test stored weights", RunEvalVerb},
      {"inspect", "show a cell and the network that is built from it", RunInspect},
      {"selftest", "check a backend against reference files", RunSelftest},
      {"data", "show or verify a dataset, or download one", RunData},
      {"reproduce", "rerun a table of the paper and compare with it", RunReproduce},
      {"report", "render a reproduce folder again from its records", RunReport},
      {"compare", "compare two reproduce folders", RunCompare},
      {"bench", "time the steps of a network", RunBench},
      {"devices", "list the devices pdarts can compute on", RunDevices},
      {"version", "print the version and how this binary was built", RunVersion},
      {"help", "print this list, or the options of a verb", RunHelp},
  };
  return kCommands;
}

const Command& FindCommand(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const Command& command : Commands()) {
    if (name == command.name) return command;
    names.push_back(command.name);
  }
  const std::string nearest = base::NearestName(name, names);
  throw base::UsageError(fmt::format("unknown verb '{}'", name), where,
                         nearest.empty() ? "see pdarts help" : fmt::format("did you mean {}?", nearest));
}

}  // namespace pdarts::cli
