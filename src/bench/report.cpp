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

Json ToJson(const std::vector<FloorRow>& rows) {
  Json list = Json::array();
  for (const FloorRow& row : rows)
    list.push_back({{"convolution", row.name},
                    {"calls", row.calls},
                    {"kernel", row.kernel},
                    {"ms", row.ms},
                    {"gflops", row.flops / row.ms * 1e-6},
                    {"unreordered_ms", row.unreordered_ms},
                    {"plan_ms", row.chosen_ms}});
  return list;
}

void AddLimits(const Report& report, Json& json) {
  const auto& limits = report.limits;
  const auto or_null = [&](auto number_of) { return limits ? Json(number_of(*limits)) : Json(); };
  json["conv_floor_ms"] = or_null([](const Limits& l) { return l.weights.ms; });
  json["step_over_floor"] = or_null([&](const Limits&) { return report.StepOverFloor(); });
  json["peak_gflops"] = or_null([](const Limits& l) { return l.machine.peak_gflops; });
  json["bandwidth_gbs"] = or_null([](const Limits& l) { return l.machine.copy_memory_gbs; });
  if (!limits) return;
  json["bandwidth_cache_gbs"] = limits->machine.copy_cache_gbs;
  json["read_bandwidth_gbs"] = limits->machine.read_memory_gbs;
  json["read_bandwidth_cache_gbs"] = limits->machine.read_cache_gbs;
  json["conv_floor_hot_ms"] = limits->weights.hot_ms;
  if (limits->architecture) {
    json["arch_conv_floor_ms"] = limits->architecture->ms;
    json["arch_step_over_floor"] = report.architecture->times.median_ms / limits->architecture->ms;
  }
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
  AddLimits(report, json);
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
  if (report.supernet) json["operations"] = {{"normal", report.supernet->normal}, {"reduce", report.supernet->reduce}};
  if (report.limits) json["convolutions"] = ToJson(report.limits->weights.rows);
  return json;
}

std::string ToMarkdown(const std::vector<Report>& reports) {
  std::string text =
      "| network | batch | weight step, ms per image | architecture step | images/s | over convolution floor | "
      "planned MB | peak MB | reorders |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Report& r : reports) {
    const auto images = static_cast<double>(r.batch);
    text +=
        fmt::format("| {} | {} | {:.2f} | {} | {:.1f} | {} | {:.0f} | {:.0f} | {} |\n", r.stage, r.batch,
                    r.weights.times.median_ms / images,
                    r.architecture ? fmt::format("{:.2f}", r.architecture->times.median_ms / images) : "",
                    1e3 * images / r.weights.times.median_ms, r.limits ? fmt::format("{:.2f}", r.StepOverFloor()) : "",
                    static_cast<double>(r.planned.total()) * 1e-6, static_cast<double>(r.peak_bytes) * 1e-6,
                    r.weights.reorders.activations + r.weights.reorders.weights);
  }
  return text;
}

}  // namespace pdarts::bench
