#include <cmath>

#include "selftest/trajectory.h"

namespace pdarts::selftest {

void CheckEvaluationTrajectory(const VectorFile& file, const Checker& checker, Report& report) {
  const nn::EvaluationNetworkSpec spec = ReadEvaluationNetwork(file);
  const nn::StepOptions options = ReadStepOptions(file, checker.dtype());
  const FirstGraphs first = [&](tensor::DType dtype) {
    return std::vector{nn::WeightsStep(spec, ReadStepOptions(file, dtype))};
  };
  Trajectory t(file, checker, report);
  plan::Executor& weights = t.Add(nn::WeightsStep(spec, options));
  plan::Executor& evaluation = t.Add(nn::EvaluationStep(spec, options));

  t.Reset();
  const int64_t steps = file.Count("steps", kMostSteps);
  for (int64_t n = 0; n < steps; ++n) {
    const std::string step = fmt::format("step{}.", n);
    t.Run(weights, n, file.Number("lr"), 0);
    if (n == 0) {
      t.CheckFirst(step + "loss", t.Output(weights, "loss"));
      t.CheckFirst(step + "logits", t.Output(weights, "logits"));
      t.CheckFirst(step + "logits_aux", t.Output(weights, "logits_auxiliary"));
      t.CheckFirstGradients(weights);
      t.EndFirstGradients(first);
    } else {
      t.CheckLater(step + "loss", t.Output(weights, "loss"));
      t.CheckLater(step + "logits", t.Output(weights, "logits"));
      t.CheckLater(step + "logits_aux", t.Output(weights, "logits_auxiliary"));
    }
    t.CheckLater(step + "grad_norm", std::vector<double>{std::sqrt(t.Scalar(weights, "sum_squares"))});
  }
  t.CheckFinalState();
  t.Run(evaluation, 0, 0, 0);
  t.CheckLater("final.logits_eval", t.Output(evaluation, "logits"));
  t.EndLater();
}

}  // namespace pdarts::selftest
