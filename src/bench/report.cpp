#include "bench/report.h"

#include <nlohmann/json.hpp>

namespace pdarts::bench {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const StepTimes& times, int64_t batch) {
  const auto images = static_cast<double>(batch);
  return {{"median_ms", times.median_ms},
          {"min_ms", times.min_ms},
          {"max_ms", times.max_ms},
          {"ms_per_image", times.median_ms / images},
          {"images_per_second", 1e3 * images / times.median_ms}};
}

Json ToJson(const std::vector<OpRow>& rows, const char* name) {
  double total = 0;
  for (const OpRow& row : rows) total += row.ms;
  Json list = Json::array();
  for (const OpRow& row : rows)
    list.push_back({{name, row.name},
                    {"calls", row.calls},
                    {"ms", row.ms},
                    {"share", row.ms / total},
                    {"gflops", row.Gflops()},
                    {"gbs", row.Gbs()}});
  return list;
}

}  // namespace

Json ToJson(const Report& report) {
  const StepReport& weights = report.weights;
  Json json{{"stage", report.stage},
            {"batch", report.batch},
            {"threads", report.threads},
            {"isa", report.isa},
            {"steps", report.steps},
            {"weight_step", ToJson(weights.times, report.batch)},
            {"arch_step", report.architecture ? ToJson(report.architecture->times, report.batch) : Json()}};
  json["planned_bytes"] = report.planned.total();
  json["planned_bytes_by_arena"] = {{"parameters", report.planned.parameters},
                                    {"statistics", report.planned.statistics},
                                    {"optimizer", report.planned.optimizer},
                                    {"inputs", report.planned.inputs},
                                    {"temporary", report.planned.temporary}};
  json["base_bytes"] = report.base_bytes;
  json["peak_bytes"] = report.peak_bytes;
  json["reorders"] = weights.reorders.activations + weights.reorders.weights;
  json["activation_reorders"] = weights.reorders.activations;
  json["reorder_bytes"] = weights.reorders.activation_bytes + weights.reorders.weight_bytes;
  json["ops"] = ToJson(weights.profile.kinds, "kind");
  json["kernels"] = ToJson(weights.profile.kernels, "kernel");
  if (report.architecture) {
    json["arch_ops"] = ToJson(report.architecture->profile.kinds, "kind");
    json["arch_kernels"] = ToJson(report.architecture->profile.kernels, "kernel");
  }
  return json;
}

}  // namespace pdarts::bench
