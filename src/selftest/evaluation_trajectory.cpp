#include <cmath>

#include "search/network_spec.h"
#include "selftest/trajectory.h"

namespace pdarts::selftest {

void CheckEvaluationTrajectory(const VectorFile& file, const Checker& checker, Report& report) {
  const search::Genotype genotype = search::ParseGenotype(file.Meta("genotype"));
  nn::EvaluationNetworkSpec spec = search::EvaluationNetwork(
      genotype, file.Meta("network") == "imagenet" ? nn::Macro::kImageNet : nn::Macro::kCifar);
  spec.cells = file.Int("layers");
  spec.channels = file.Int("channels");
  spec.classes = file.Int("classes");
  spec.drop_path = false;
  Trajectory t(file, checker, report);
  nn::StepOptions options = t.Options();
  options.label_smoothing = file.Number("label_smoothing");
  options.auxiliary_weight = file.Number("auxiliary_weight");
  options.sgd = {file.Number("momentum"), file.Number("weight_decay"), file.Number("grad_clip")};
  plan::Executor& weights = t.Add(nn::WeightsStep(spec, options));
  plan::Executor& evaluation = t.Add(nn::EvaluationStep(spec, options));

  t.Reset();
  for (int64_t n = 0; n < file.Int("steps"); ++n) {
    const std::string step = fmt::format("step{}.", n);
    t.Run(weights, n, file.Number("lr"), 0);
    if (n == 0) {
      t.CheckFirst(step + "loss", t.Output(weights, "loss"));
      t.CheckFirst(step + "logits", t.Output(weights, "logits"));
      t.CheckFirst(step + "logits_aux", t.Output(weights, "logits_auxiliary"));
      t.CheckGradients(weights, "first.");
      t.EndGradients();
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
