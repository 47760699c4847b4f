#include "cli/commands.h"

namespace pdarts::cli {

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      {"search", "search a cell in three stages", RunSearchVerb},
      {"train", "train the network built from a cell, and test it", RunTrainVerb},
      {"eval", "test stored weights", RunEvalVerb},
      {"selftest", "check a backend against reference files", RunSelftest},
      {"data", "show or verify a dataset, or download one", RunData},
      {"reproduce", "rerun a table of the paper and compare with it", RunReproduce},
      {"report", "render a reproduce folder again from its records", RunReport},
      {"compare", "compare two reproduce folders", RunCompare},
      {"devices", "list the devices pdarts can compute on", RunDevices},
      {"version", "print the version and how this binary was built", RunVersion},
      {"help", "print this list, or the options of a verb", RunHelp},
  };
  return kCommands;
}

}  // namespace pdarts::cli
