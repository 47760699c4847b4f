// Derivation against stored cases: alphas, and the switches and cells that the published implementation makes of them.
#pragma once

#include <string>
#include <string_view>

namespace pdarts::search {

struct DerivationCasesResult {
  int cases = 0;
  int passed = 0;
  std::string first_failure;  // "case 3: stage 2, normal cell"; empty where all passed
};

// Reads the text of derivation.json (its "note" says the format). Compares the switches after each stage, the
// unrestricted cells and those for every M. Throws a data error naming `where` for another form.
DerivationCasesResult CheckDerivationCases(std::string_view text, const std::string& where);

}  // namespace pdarts::search
