#include <cmath>
#include <nlohmann/json.hpp>

#include "selftest/trajectory.h"

namespace pdarts::selftest {
namespace {

std::vector<std::vector<std::string>> EdgesOf(const VectorFile& file, const std::string& key) {
  const auto switches = nlohmann::json::parse(file.Meta(key)).get<std::vector<std::vector<bool>>>();
  const auto primitives = nlohmann::json::parse(file.Meta("primitives")).get<std::vector<std::string>>();
  std::vector<std::vector<std::string>> edges;
  for (const std::vector<bool>& row : switches) {
    std::vector<std::string>& edge = edges.emplace_back();
    for (size_t k = 0; k < primitives.size(); ++k)
      if (row.at(k)) edge.push_back(primitives[k]);
  }
  return edges;
}

}  // namespace

void CheckSearchTrajectory(const VectorFile& file, const Checker& checker, Report& report) {
  const nn::SearchNetworkSpec spec{EdgesOf(file, "switches_normal"), EdgesOf(file, "switches_reduce"),
                                   file.Int("layers"), file.Int("channels"), file.Int("classes")};
  Trajectory t(file, checker, report);
  const nn::StepOptions options = t.Options();
  plan::Executor& weights = t.Add(nn::WeightsStep(spec, options));
  plan::Executor& architecture = t.Add(nn::ArchitectureStep(spec, options));
  plan::Executor& evaluation = t.Add(nn::EvaluationStep(spec, options));
  constexpr double kWeightsRate = 0.025, kAlphasRate = 6e-4;  // as the files' note says

  t.Reset();
  t.Run(architecture, 0, kAlphasRate, 1);
  t.CheckGradients(architecture, "first.");
  t.Reset();
  t.Run(weights, 0, kWeightsRate, 0);
  t.CheckFirst("first.loss", t.Output(weights, "loss"));
  t.CheckFirst("first.logits", t.Output(weights, "logits"));
  t.CheckGradients(weights, "first.");
  t.EndGradients();

  t.Reset();
  for (int64_t n = 0; n < file.Int("steps"); ++n) {
    const std::string step = fmt::format("step{}.", n);
    t.Run(architecture, 2 * n + 1, kAlphasRate, static_cast<double>(n + 1));
    t.CheckLater(step + "loss_arch", t.Output(architecture, "loss"));
    t.CheckLater(step + "grad_norm_arch", std::vector<double>{std::sqrt(t.Scalar(architecture, "sum_squares"))});
    t.Run(weights, 2 * n, kWeightsRate, 0);
    t.CheckLater(step + "loss_weights", t.Output(weights, "loss"));
    t.CheckLater(step + "grad_norm_weights", std::vector<double>{std::sqrt(t.Scalar(weights, "sum_squares"))});
    t.CheckLater(step + "logits", t.Output(weights, "logits"));
  }
  t.CheckFinalState();
  t.Run(evaluation, 0, 0, 0);
  t.CheckLater("final.logits_eval", t.Output(evaluation, "logits"));
  t.EndLater();
}

}  // namespace pdarts::selftest
