#include <nlohmann/json.hpp>

#include "base/stop.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "search/architectures.h"
#include "train/training_run.h"

namespace pdarts::cli {
namespace {

void PrintResult(const train::TrainResult& result, bool as_json) {
  if (as_json) {
    Print(nlohmann::ordered_json{{"last_test_error", result.last_test_error},
                                 {"best_test_error", result.best_test_error},
                                 {"best_epoch", result.best_epoch + 1},
                                 {"parameters", result.parameters},
                                 {"seconds", result.seconds},
                                 {"signature", result.signature}}
              .dump(2) +
          "\n");
  } else {
    Print(fmt::format("test error {:.2f}% (best {:.2f}%, epoch {})  {} parameters  {}\n", result.last_test_error,
                      result.best_test_error, result.best_epoch + 1, result.parameters,
                      train::FormatDuration(result.seconds)));
  }
}

}  // namespace

int RunTrainVerb(const Arguments& arguments) {
  OptionSet options(
      "train",
      "Trains the network built from a cell from scratch and tests it after each epoch; the last epoch counts.\n"
      "A run that stopped goes on with: pdarts train --resume --out DIR");
  DataOptions data;
  RunOptions run;
  MachineOptions machine;
  OutputOptions output;
  train::TrainOptions training;
  bool no_auxiliary = false;
  data.AddTo(options);
  run.AddTo(options);
  options.Group("Training");
  options.Add("arch", &training.arch_name, "ARCH", kArchitectureHelp);
  options.Add("epochs", &training.epochs, "N", "epochs", {1, 1e6});
  options.Add("batch", &training.batch, "N", "images a batch", {1, 1e6});
  options.Add("channels", &training.channels, "N", "initial channels", {1, 65536});
  options.Add("layers", &training.cells, "N", "cells", {1, 1000});
  options.Add("drop-path", &training.drop_path, "RATE", "drop path at the last epoch; rises linearly");
  options.Add("cutout", &training.cutout, "N", "side of the blanked square; 0: none", {0, 1024});
  options.AddSwitch("no-auxiliary", &no_auxiliary, "train without the auxiliary head");
  options.AddSwitch("allow-signature-change", &training.allow_signature_change,
                    "resume with another build, instruction set or thread count");
  machine.AddTo(options);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  TakeStoredOptions(options, run, "train");
  if (training.arch_name.empty())
    throw base::UsageError("no cell to train", "--arch",
                           "give a name such as PDARTS_CIFAR10, a file, or a 'Genotype(...)' text");

  training.genotype = search::ResolveArchitecture(training.arch_name, "--arch").genotype;
  training.data = SpecOf(data);
  training.out = run.out;
  training.resume = run.resume;
  training.seed = run.seed;
  training.auxiliary = !no_auxiliary;
  training.workers = machine.workers;
  training.device = machine.device;
  training.isa = machine.isa;
  training.threads = machine.threads.value_or(0);
  const auto backend = MakeBackend(machine);
  const base::StopSignals signals;
  ConsoleProgress progress;
  const train::TrainResult result = train::RunTraining(training, *backend, progress);
  PrintResult(result, output.json);
  return 0;
}

}  // namespace pdarts::cli
