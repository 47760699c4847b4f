#include "train/run_log.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/json_number.h"
#include "search/network_spec.h"

namespace pdarts::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLastStage = 3;

// Calls `read` with every line as JSON; what it throws of JSON becomes a data error that names the line.
template <class Read>
void ForEachLine(const std::filesystem::path& file, const Read& read) {
  std::istringstream lines(base::ReadFile(file));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string where = fmt::format("{}, line {}", file.string(), number);
    try {
      read(Json::parse(line), where);
    } catch (const nlohmann::json::exception& error) {
      throw base::DataError(fmt::format("not a record of an epoch ({})", error.what()), where, "the log is damaged");
    }
  }
}

double PercentOf(const Json& summary) { return 100 * summary.at("accuracy").get<double>(); }

void CheckCell(const search::EdgeSwitches& switches, const search::EdgeAlphas& alphas, const std::string& where) {
  const auto want = [&](bool good, const std::string& what) {
    if (!good) throw base::DataError(what, where, "the log is damaged");
  };
  want(alphas.size() == switches.size(), fmt::format("alphas of {} edges instead of 14", alphas.size()));
  for (size_t edge = 0; edge < alphas.size(); ++edge) {
    const auto& ops = switches[edge];
    want(!ops.empty() && alphas[edge].size() == ops.size(),
         fmt::format("edge {} has {} alphas for {} operations", edge, alphas[edge].size(), ops.size()));
    for (size_t i = 0; i < ops.size(); ++i) {
      want(std::isfinite(alphas[edge][i]), fmt::format("an alpha of edge {} is no number", edge));
      want(i == 0 || ops[i - 1] < ops[i], fmt::format("the operations of edge {} are out of order", edge));
    }
    want(static_cast<int>(ops.back()) < search::kSearchPrimitives,
         fmt::format("edge {} has an operation that is never searched", edge));
    want(ops.back() != search::Primitive::kNone, fmt::format("edge {} offers nothing but none", edge));
  }
}

}  // namespace

std::vector<draw::EpochPoint> ReadEpochs(const std::filesystem::path& metrics) {
  std::vector<draw::EpochPoint> epochs;
  ForEachLine(metrics, [&](const Json& json, const std::string&) {
    draw::EpochPoint point{.stage = json.contains("stage") ? base::WholeNumber<int>(json.at("stage")) : 0,
                           .epoch = base::WholeNumber<int>(json.at("epoch"))};
    point.loss = json.at("train").at("loss").get<double>();
    point.accuracy = PercentOf(json.at("train"));
    for (const char* key : {"validation", "test"})
      if (json.contains(key)) {
        point.held_out_loss = json.at(key).at("loss").get<double>();
        point.held_out_accuracy = PercentOf(json.at(key));
      }
    epochs.push_back(point);
  });
  return epochs;
}

Json ToJson(const AlphaEpoch& epoch) {
  return {{"stage", epoch.stage},
          {"epoch", epoch.epoch},
          {"normal", search::OperationNames(epoch.switches.normal)},
          {"reduce", search::OperationNames(epoch.switches.reduce)},
          {"alphas_normal", epoch.alphas.normal},
          {"alphas_reduce", epoch.alphas.reduce}};
}

std::vector<AlphaEpoch> ReadAlphas(const std::filesystem::path& file) {
  std::vector<AlphaEpoch> epochs;
  ForEachLine(file, [&](const Json& json, const std::string& where) {
    AlphaEpoch epoch{.stage = base::WholeNumber<int>(json.at("stage")),
                     .epoch = base::WholeNumber<int>(json.at("epoch"))};
    epoch.switches.normal = search::SwitchesFromNames(json.at("normal"), where);
    epoch.switches.reduce = search::SwitchesFromNames(json.at("reduce"), where);
    epoch.alphas.normal = json.at("alphas_normal").get<search::EdgeAlphas>();
    epoch.alphas.reduce = json.at("alphas_reduce").get<search::EdgeAlphas>();
    CheckCell(epoch.switches.normal, epoch.alphas.normal, where);
    CheckCell(epoch.switches.reduce, epoch.alphas.reduce, where);
    epochs.push_back(std::move(epoch));
  });
  if (epochs.empty())
    throw base::DataError("no epoch has ended yet", file.string(), "continue the search with search --resume");
  return epochs;
}

AlphaEpoch LastAlphas(const std::filesystem::path& file) {
  AlphaEpoch last = ReadAlphas(file).back();
  if (last.stage != kLastStage)
    throw base::DataError(fmt::format("the search stands at stage {} epoch {}, and a cell follows from stage {}",
                                      last.stage, last.epoch, kLastStage),
                          file.string(), "continue it with search --resume");
  return last;
}

}  // namespace pdarts::train
