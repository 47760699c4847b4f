// What an epoch measures. The sums are part of a checkpoint, so that an epoch can be continued in its middle.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace pdarts::train {

// Loss and hits, weighted by images as the last batch may be smaller.
struct RunningSums {
  double loss = 0;  // sum over images
  double correct1 = 0, correct5 = 0;
  int64_t images = 0;

  void Add(double mean_loss, double hits1, double hits5, int64_t n);
  double MeanLoss() const { return images > 0 ? loss / static_cast<double>(images) : 0; }
  double Accuracy() const { return images > 0 ? correct1 / static_cast<double>(images) : 0; }  // top-1, 0 to 1
  double AccuracyTop5() const { return images > 0 ? correct5 / static_cast<double>(images) : 0; }
  double ErrorPercent() const { return 100 * (1 - Accuracy()); }

  bool operator==(const RunningSums&) const = default;
};

void to_json(nlohmann::ordered_json& json, const RunningSums& sums);
void from_json(const nlohmann::ordered_json& json, RunningSums& sums);

// {"loss": .., "accuracy": .., "accuracy_top5": .., "images": ..}, for metrics.jsonl.
nlohmann::ordered_json Summary(const RunningSums& sums);

// Throws a device error where a loss is no number: the run diverged, or a kernel is wrong.
void CheckFinite(double loss, int epoch, int64_t step);

}  // namespace pdarts::train
