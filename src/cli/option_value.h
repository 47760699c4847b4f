// Reading and showing the value of an option, whatever its type.
#pragma once

#include <string>

#include "cli/option_set.h"

namespace pdarts::cli {

// Sets the target from the user's text. `where` names the option in the error ("--epochs").
void SetTarget(const OptionSet::Target& target, const std::string& text, const Range& range, const std::string& where);

// The value as text, "" for one not given; for the default in the help.
std::string ShowTarget(const OptionSet::Target& target);

}  // namespace pdarts::cli
