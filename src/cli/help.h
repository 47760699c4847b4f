#pragma once

#include <string>

namespace pdarts::cli {

// The short help: what pdarts is, and its verbs.
std::string HelpText();

}  // namespace pdarts::cli
