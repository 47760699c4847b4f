#include "train/metrics.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_number.h"

namespace pdarts::train {

using Json = nlohmann::ordered_json;

void RunningSums::Add(double mean_loss, double hits1, double hits5, int64_t n) {
  loss += mean_loss * static_cast<double>(n);
  correct1 += hits1;
  correct5 += hits5;
  images += n;
}

void to_json(Json& json, const RunningSums& sums) { json = {sums.loss, sums.correct1, sums.correct5, sums.images}; }

void from_json(const Json& json, RunningSums& sums) {
  sums = {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>(),
          base::WholeNumber<int64_t>(json.at(3))};
}

Json Summary(const RunningSums& sums) {
  return {{"loss", sums.MeanLoss()},
          {"accuracy", sums.Accuracy()},
          {"accuracy_top5", sums.AccuracyTop5()},
          {"images", sums.images}};
}

void CheckFinite(double loss, int epoch, int64_t step) {
  if (std::isfinite(loss)) return;
  throw base::DeviceError("the loss is no longer a number: the training diverged",
                          fmt::format("epoch {}, step {}", epoch + 1, step + 1),
                          "lower the learning rate; if that does not help, check the kernels with pdarts selftest");
}

}  // namespace pdarts::train
