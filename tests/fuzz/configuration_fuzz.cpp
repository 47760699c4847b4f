// Any bytes as a file for --config: values of the options in their ranges, or a usage error.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "cli/option_set.h"
#include "fuzz/scratch_file.h"

namespace pdarts::cli {

// In place of the list of verbs, which would bring the whole engine with it.
const Command& FindCommand(const std::string& name, const std::string& where) {
  static const Command kTrain{"train", "", nullptr}, kSearch{"search", "", nullptr};
  if (name == kTrain.name) return kTrain;
  if (name == kSearch.name) return kSearch;
  throw base::UsageError("unknown verb", where, "");
}

}  // namespace pdarts::cli

namespace {

void ParseOptions(const std::string& path) {
  using namespace pdarts;
  std::string text, choice = "paper";
  int whole = 1;
  uint64_t seed = 0;
  double number = 0.5;
  std::optional<int64_t> limit;
  std::vector<std::string> list;
  bool on = false;
  cli::OptionSet options("train", "");
  options.Add("arch", &text, "NAME", "");
  options.AddChoice("recipe", &choice, {"paper", "released"}, "");
  options.Add("epochs", &whole, "N", "", {.min = 1, .max = 1000});
  options.Add("seed", &seed, "N", "");
  options.Add("rate", &number, "X", "", {.min = 0});
  options.Add("train-limit", &limit, "N", "", {.min = 1});
  options.Add("disable-pass", &list, "NAME", "");
  options.AddSwitch("json", &on, "");
  if (!options.Parse({"--config", path})) std::abort();
  if (whole < 1 || whole > 1000 || !(number >= 0) || limit.value_or(1) < 1) std::abort();
  if (choice != "paper" && choice != "released") std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  const fuzz::ScratchFile file(data, size);
  try {
    ParseOptions(file.path());
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kUsage) std::abort();
  }
  return 0;
}
