#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "search/architectures.h"
#include "train/training_run.h"

namespace pdarts::cli {

int RunEvalVerb(const Arguments& arguments) {
  OptionSet options("eval", "Tests stored weights on the test split.");
  DataOptions data;
  MachineOptions machine;
  OutputOptions output;
  train::EvalOptions eval;
  std::string arch, weights;
  data.AddTo(options);
  options.Group("Network");
  options.Add("arch", &arch, "ARCH", kArchitectureHelp);
  options.Add("weights", &weights, "FILE", "safetensors under the published implementation's names");
  options.Add("batch", &eval.batch, "N", "images a batch", {1, 1e6});
  options.Add("channels", &eval.channels, "N", "initial channels", {1, 65536});
  options.Add("layers", &eval.cells, "N", "cells", {1, 1000});
  machine.AddTo(options);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  if (arch.empty())
    throw base::UsageError("no cell given", "--arch",
                           "give a name such as PDARTS_CIFAR10, a file, or a 'Genotype(...)' text");
  if (weights.empty()) throw base::UsageError("no weights given", "--weights", "give a safetensors file");

  eval.genotype = search::ResolveArchitecture(arch, "--arch").genotype;
  eval.weights = weights;
  eval.data = SpecOf(data);
  eval.workers = machine.workers;
  const auto backend = MakeBackend(machine);
  ConsoleProgress progress;
  const train::EvalResult result = train::RunEvaluation(eval, *backend, progress);
  if (output.json)
    Print(nlohmann::ordered_json{{"error", result.error},
                                 {"error_top5", result.error_top5},
                                 {"loss", result.loss},
                                 {"images", result.images},
                                 {"parameters", result.parameters},
                                 {"seconds", result.seconds}}
              .dump(2) +
          "\n");
  else
    Print(fmt::format("test error {:.2f}% (top-5 {:.2f}%)  loss {:.4f}  {} images  {} parameters\n", result.error,
                      result.error_top5, result.loss, result.images, result.parameters));
  return 0;
}

}  // namespace pdarts::cli
