// pdarts inspect ARCH
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "cli/table.h"
#include "draw/cell.h"
#include "nn/network_parts.h"
#include "search/architectures.h"
#include "search/network_spec.h"
#include "train/planned_memory.h"

namespace pdarts::cli {
namespace {

struct Options {
  std::string arch, dataset = "cifar10", svg;
  std::optional<int> layers, channels, batch;
  MachineOptions machine;
  OutputOptions output;

  void AddTo(OptionSet& set) {
    set.AddPositional("ARCH", &arch, kArchitectureHelp, true);
    set.Group("Network");
    set.AddChoice("dataset", &dataset, {"cifar10", "cifar100", "imagenet"}, "whose network is built from the cell");
    set.Add("layers", &layers, "N", "cells; not given: the paper's 20, for imagenet 14", {.min = 1, .max = 1000});
    set.Add("channels", &channels, "N", "initial channels; not given: the paper's 36, for imagenet 48",
            {.min = 1, .max = 100000});
    set.Add("batch", &batch, "N", "images of the training step whose memory is planned; not given: 128",
            {.min = 2, .max = 100000});
    set.Add("svg", &svg, "FILE", "draw both cells there");
    machine.AddTo(set, false);
    output.AddTo(set);
  }
};

struct Inspection {
  search::Architecture architecture;
  nn::EvaluationNetworkSpec network;
  int64_t image_size = 32, batch = 128;
  nn::NetworkSize size;
  std::vector<nn::NetworkPart> parts;
  train::PlannedMemory memory;
  std::string device;
};

Inspection Inspect(const Options& options) {
  Inspection result{.architecture = search::ResolveArchitecture(options.arch, "ARCH")};
  const bool imagenet = options.dataset == "imagenet";
  result.network =
      search::EvaluationNetwork(result.architecture.genotype, imagenet ? nn::Macro::kImageNet : nn::Macro::kCifar);
  result.image_size = nn::ImageSide(result.network.macro);
  result.batch = options.batch.value_or(128);
  if (options.dataset == "cifar100") result.network.classes = 100;
  if (options.layers) result.network.cells = *options.layers;
  if (options.channels) result.network.channels = *options.channels;
  result.size = nn::CountNetwork(result.network, result.image_size);
  result.parts = nn::NetworkParts(result.network, result.image_size);
  const auto backend = MakeBackend(options.machine);
  nn::StepOptions step{.batch = result.batch, .image_size = result.image_size};
  if (imagenet) step.label_smoothing = 0.1;
  result.memory = train::PlanMemory(result.network, step, *backend);
  result.device = backend->Name();
  return result;
}

// Without the one image: "36x32x32".
std::string ShapeOf(const tensor::Shape& shape) { return shape.ToString().substr(2); }

std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

std::string MiB(size_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

void PrintTables(const Options& options, const Inspection& i) {
  Print(i.architecture.name + (i.architecture.about.empty() ? "" : ": " + i.architecture.about) + "\n");
  if (!i.architecture.source.empty()) Print("source: " + i.architecture.source + "\n");
  Print(search::ToString(i.architecture.genotype) + "\n\n");
  using Align = Table::Align;
  Table parts({{"part"}, {"kind"}, {"output"}, {"parameters", Align::kRight}, {"multiply-adds", Align::kRight}});
  for (const nn::NetworkPart& part : i.parts)
    parts.AddRow({part.name, part.kind, ShapeOf(part.output), Grouped(part.parameters), Grouped(part.multiply_adds)});
  parts.AddRule();
  parts.AddRow({"all", "", "", Grouped(i.size.parameters), Grouped(i.size.multiply_adds)});
  parts.Print();
  Table facts({{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  const nn::EvaluationNetworkSpec& n = i.network;
  facts.AddRow({"parameters", Grouped(i.size.parameters), "all trainable tensors but the auxiliary head's"});
  facts.AddRow({"auxiliary head", Grouped(i.size.auxiliary_parameters), "more, in training only"});
  facts.AddRow({"multiply-adds, rule M", Grouped(i.size.multiply_adds), "convolutions and linear layers, one image"});
  facts.AddRow({"multiply-adds, rule P", Grouped(i.size.multiply_adds_counter),
                "M, 2 per batch norm output, 1 per ReLU output, 1 per pooling input"});
  facts.AddRow({"memory, state", MiB(i.memory.slots), "weights, momenta, running statistics"});
  facts.AddRow(
      {"memory, step", MiB(i.memory.temporary + i.memory.inputs),
       fmt::format("planned for batches of {} on {}, {} kernels a weights step", i.batch, i.device, i.memory.steps)});
  Print(fmt::format("\n{}: {} cells, {} channels, {} classes, {}x{} images\n", options.dataset, n.cells, n.channels,
                    n.classes, i.image_size, i.image_size));
  facts.Print();
}

nlohmann::ordered_json ToJson(const Options& options, const Inspection& i) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const nn::NetworkPart& part : i.parts)
    parts.push_back({{"name", part.name},
                     {"kind", part.kind},
                     {"output", ShapeOf(part.output)},
                     {"parameters", part.parameters},
                     {"multiply_adds", part.multiply_adds}});
  return {
      {"architecture", i.architecture.name},
      {"about", i.architecture.about},
      {"source", i.architecture.source},
      {"genotype", search::ToJson(i.architecture.genotype)},
      {"dataset", options.dataset},
      {"layers", i.network.cells},
      {"channels", i.network.channels},
      {"classes", i.network.classes},
      {"image_size", i.image_size},
      {"parameters", i.size.parameters},
      {"auxiliary_parameters", i.size.auxiliary_parameters},
      {"multiply_adds", i.size.multiply_adds},
      {"multiply_adds_counter", i.size.multiply_adds_counter},
      {"batch", i.batch},
      {"planned_bytes", {{"slots", i.memory.slots}, {"inputs", i.memory.inputs}, {"temporary", i.memory.temporary}}},
      {"kernels", i.memory.steps},
      {"parts", std::move(parts)}};
}

}  // namespace

int RunInspect(const Arguments& arguments) {
  Options options;
  OptionSet set(
      "inspect",
      "Shows the network that is built from a cell: its parts, parameters, multiply-adds by both rules in use,\n"
      "the memory that its training is planned to need, and a picture of its cells. Trains nothing.");
  options.AddTo(set);
  if (!set.Parse(arguments)) return 0;
  const Inspection result = Inspect(options);
  if (!options.svg.empty()) {
    base::WriteFileAtomically(options.svg,
                              draw::DrawCells(result.architecture.genotype,
                                              result.architecture.source.empty() ? "" : result.architecture.name));
    base::LogInfo("drawn: " + options.svg);
  }
  if (options.output.json)
    Print(ToJson(options, result).dump(2) + "\n");
  else
    PrintTables(options, result);
  return 0;
}

}  // namespace pdarts::cli
