#include <cmath>

#include "selftest/trajectory.h"

namespace pdarts::selftest {
void CheckSearchTrajectory(const VectorFile& file, const Checker& checker, Report& report) {
  const nn::SearchNetworkSpec spec = ReadSearchNetwork(file);
  const nn::StepOptions options = ReadStepOptions(file, checker.dtype());
  const FirstGraphs first = [&](tensor::DType dtype) {
    const nn::StepOptions in_dtype = ReadStepOptions(file, dtype);
    return std::vector{nn::ArchitectureStep(spec, in_dtype), nn::WeightsStep(spec, in_dtype)};
  };
  Trajectory t(file, checker, report);
  plan::Executor& weights = t.Add(nn::WeightsStep(spec, options));
  plan::Executor& architecture = t.Add(nn::ArchitectureStep(spec, options));
  plan::Executor& evaluation = t.Add(nn::EvaluationStep(spec, options));
  constexpr double kWeightsRate = 0.025, kAlphasRate = 6e-4;  // as the files' note says

  t.Reset();
  t.Run(architecture, 0, kAlphasRate, 1);
  t.CheckFirstGradients(architecture);
  t.Reset();
  t.Run(weights, 0, kWeightsRate, 0);
  t.CheckFirst("first.loss", t.Output(weights, "loss"));
  t.CheckFirst("first.logits", t.Output(weights, "logits"));
  t.CheckFirstGradients(weights);
  t.EndFirstGradients(first);

  t.Reset();
  const int64_t steps = file.Count("steps", kMostSteps);
  for (int64_t n = 0; n < steps; ++n) {
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
