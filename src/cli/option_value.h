// Reading, showing and storing the value of an option, whatever its type.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/option_set.h"

namespace pdarts::cli {

// Sets the target from the user's text. `where` names the option in the error ("--epochs").
void SetTarget(const OptionSet::Target& target, const std::string& text, const Range& range, const std::string& where);

// The value as text, "" for one not given; for the default in the help.
std::string ShowTarget(const OptionSet::Target& target);

nlohmann::json TargetToJson(const OptionSet::Target& target);

}  // namespace pdarts::cli
