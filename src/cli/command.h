// A subcommand: one file of this folder, one line in commands.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace pdarts::cli {

using Arguments = std::vector<std::string>;  // what follows the verb on the command line

struct Command {
  const char* name;
  const char* summary;           // one line, shown by `pdarts help`
  int (*run)(const Arguments&);  // returns the exit code; ends by base::Error otherwise
};

// All verbs there are, in the order of the help.
std::span<const Command> Commands();

// The verb of that name; a usage error that suggests the nearest where there is none. `where`: of the message, may be
// empty.
const Command& FindCommand(const std::string& name, const std::string& where);

// Runs `pdarts ARGUMENTS...` and returns its exit code. Prints errors as one line on stderr; throws nothing.
int RunMain(const Arguments& arguments);

}  // namespace pdarts::cli
