#include <charconv>
#include <nlohmann/json.hpp>

#include "base/stop.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "train/search_run.h"

namespace pdarts::cli {
namespace {

// Three numbers parted by commas, such as `example`.
template <class Value>
std::array<Value, 3> ThreeNumbers(const std::string& text, const std::string& option, const char* example) {
  std::array<Value, 3> numbers{};
  const char *at = text.data(), *end = at + text.size();
  for (size_t i = 0; i < 3; ++i) {
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc() || (i < 2 ? next == end || *next != ',' : next != end))
      throw base::UsageError(fmt::format("'{}' is not three numbers", text), option,
                             fmt::format("for example {}", example));
    at = next + 1;
  }
  return numbers;
}

}  // namespace

int RunSearchVerb(const Arguments& arguments) {
  OptionSet options("search",
                    "Searches a normal and a reduction cell in three stages (P-DARTS) and writes them to --out.\n"
                    "A run that stopped goes on with: pdarts search --resume --out DIR");
  DataOptions data;
  RunOptions run;
  MachineOptions machine;
  OutputOptions output;
  std::string cells = "5,11,17", recipe = "paper";
  std::optional<std::string> skip_dropout;
  std::optional<int> frozen;
  train::SearchOptions search;
  data.AddTo(options);
  run.AddTo(options);
  options.Group("Search");
  options.Add("cells", &cells, "A,B,C", "cells of the three stages' networks");
  options.Add("skip-dropout", &skip_dropout, "A,B,C",
              "dropout on skip-connects when each stage begins; not given: of the recipe");
  options.Add("epochs", &search.epochs, "N", "epochs a stage", {1, 1e6});
  options.Add("frozen-epochs", &frozen, "N", "epochs in which the alphas rest; not given: two fifths", {0, 1e6});
  options.Add("batch", &search.batch, "N", "images a batch", {1, 1e6});
  options.Add("channels", &search.channels, "N", "initial channels", {1, 65536});
  options.Add("max-skip", &search.max_skip, "M", "skip-connects the normal cell may keep", {0, 1000});
  options.AddChoice("recipe", &recipe, {"paper", "released"}, "whose dropout rates, where the two differ");
  options.AddSwitch("allow-signature-change", &search.allow_signature_change,
                    "resume with another build, instruction set or thread count");
  machine.AddTo(options);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  TakeStoredOptions(options, run, "search");

  search.data = SpecOf(data);
  search.out = run.out;
  search.resume = run.resume;
  search.seed = run.seed;
  search.recipe = train::RecipeFromName(recipe);
  search.cells = ThreeNumbers<int>(cells, "--cells", "5,11,17");
  if (skip_dropout) search.skip_dropout = ThreeNumbers<double>(*skip_dropout, "--skip-dropout", "0,0.4,0.7");
  search.frozen_epochs = frozen;
  search.workers = machine.workers;
  search.device = machine.device;
  search.isa = machine.isa;
  search.threads = machine.threads.value_or(0);
  const auto backend = MakeBackend(machine);
  const base::StopSignals signals;
  ConsoleProgress progress;
  const train::SearchResult result = train::RunSearch(search, *backend, progress);
  if (output.json) {
    nlohmann::ordered_json json = search::ToJson(result.genotype);
    json["seconds"] = result.seconds;
    json["validation_accuracy"] = result.validation_accuracy;
    json["signature"] = result.signature;
    Print(json.dump(2) + "\n");
  } else {
    Print(search::ToString(result.genotype) + "\n");
  }
  return 0;
}

}  // namespace pdarts::cli
