// Help, versions of asking for it, and where output goes. `make approve` rewrites the texts.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <sstream>

#include "base/file.h"
#include "support/process.h"

namespace pdarts::test {
namespace {

namespace fs = std::filesystem;

// The verbs that `pdarts help` lists.
std::vector<std::string> Verbs(const std::string& help) {
  std::istringstream lines(help.substr(0, help.find("Exit codes")));
  std::vector<std::string> verbs;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  ")) verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  return verbs;
}

void CheckText(const std::string& name, const std::string& text) {
  const fs::path golden = fs::path(PDARTS_TESTS_DIR) / "golden_text" / "help" / (name + ".txt");
  if (std::getenv("PDARTS_APPROVE") != nullptr) base::WriteFileAtomically(golden, text);
  INFO("the help of " << name << "; make approve accepts it");
  REQUIRE(fs::exists(golden));
  CHECK(text == base::ReadFile(golden));
}

TEST_CASE("every verb explains itself, however it is asked", "[integration][help]") {
  const ProcessResult help = Run(Pdarts({"help"}));
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  CheckText("pdarts", help.out);
  for (const char* asked : {"--help", "-h"}) CHECK(Run(Pdarts({asked})).out == help.out);
  const ProcessResult bare = Run(Pdarts({}));
  CHECK(bare.code == 2);
  CHECK(bare.out == help.out);

  const std::vector<std::string> verbs = Verbs(help.out);
  CHECK(verbs.size() >= 11);
  for (const std::string& verb : verbs) {
    INFO(verb);
    const ProcessResult text = Run(Pdarts({verb, "--help"}));
    CHECK(text.code == 0);
    CHECK(text.err.empty());
    CheckText(verb, text.out);
    CHECK(Run(Pdarts({verb, "-h"})).out == text.out);
    if (verb != "help") CHECK(Run(Pdarts({"help", verb})).out == text.out);
  }
  CHECK(Run(Pdarts({"--version"})).out == Run(Pdarts({"version"})).out);
}

TEST_CASE("output that nobody takes or that does not fit", "[integration][help]") {
  const TempFolder temp;
  const std::string code = temp.path() / "code";
  const auto shell = [](const std::string& script) { return Run({"sh", "-c", script, "sh", Binary()}); };
  const ProcessResult piped = shell("{ \"$1\" help; echo $? >" + code + "; } | head -1");
  CHECK(base::ReadFile(code) == "0\n");
  CHECK(piped.err.empty());
  const ProcessResult gone = shell("{ sleep 0.3; \"$1\" data info synthetic; echo $? >" + code + "; } | true");
  CHECK(base::ReadFile(code) == "0\n");
  CHECK(gone.err.empty());
  CHECK(shell("\"$1\" version >&-").code == 0);
  CHECK(shell("\"$1\" version <&- >&- 2>&-").code == 0);
  if (::access("/dev/full", W_OK) != 0) SKIP("no /dev/full here");
  CheckOneLine(shell("\"$1\" version >/dev/full"), 4, {"standard output", "No space left on device"});
}

TEST_CASE("nothing is coloured where stdout is no terminal", "[integration][help]") {
  const ProcessResult plain = Run(Pdarts({"data", "info", "synthetic"}));
  CHECK(plain.code == 0);
  CHECK(plain.out.find('\033') == std::string::npos);
  CHECK(Run({"env", "NO_COLOR=1", Binary(), "data", "info", "synthetic"}).out == plain.out);
}

}  // namespace
}  // namespace pdarts::test
