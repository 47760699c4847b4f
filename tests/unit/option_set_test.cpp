// Files given with --config that are no configuration.
#include "cli/option_set.h"

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/temp_folder.h"

namespace pdarts::cli {
namespace {

using Catch::Matchers::ContainsSubstring;

// The usage error that reading this file ends with.
std::string Failure(const std::string& text) {
  const test::TempFolder folder;
  const std::string path = folder.path() / "options.ini";
  base::WriteFileAtomically(path, text);
  int epochs = 1;
  OptionSet options("train", "");
  options.Add("epochs", &epochs, "N", "", {.min = 1});
  try {
    options.Parse({"--config", path});
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK_THAT(error.where(), ContainsSubstring("options.ini"));
    return error.message();
  }
  return "no error";
}

// Found by tests/fuzz: the message of Boost's error replaced the placeholder by the line that holds it, without end.
TEST_CASE("a line of a configuration that holds Boost's placeholder is a usage error", "[cli]") {
  CHECK(Failure("epochs = 2\n") == "no error");
  CHECK_THAT(Failure("epochs = 2\n%invalid_line%%\n"), ContainsSubstring("'%invalid_line%%' is no key = value"));
  CHECK_THAT(Failure("%invalid_line% = 2\n"), ContainsSubstring("unknown key"));
}

}  // namespace
}  // namespace pdarts::cli
