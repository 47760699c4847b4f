// Reports for programs and people. The keys of the JSON are read by others: add, never rename.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/step_bench.h"

namespace pdarts::bench {

// stage, batch, threads, isa, weight_step and arch_step (median_ms, min_ms, max_ms, ms_per_image, images_per_second;
// arch_step is null for a network without alphas), planned_bytes and peak_bytes, reorders, and ops (kind, calls, ms,
// share, gflops, gbs) of the weight step; beside them planned_bytes_by_arena, base_bytes, reorder_bytes,
// activation_reorders, operations (of a supernet, edge by edge), and kernels, arch_ops, arch_kernels in the form of
// ops.
// With limits, else null: conv_floor_ms, step_over_floor, peak_gflops, bandwidth_gbs (copying, memory to memory);
// beside them arch_conv_floor_ms, arch_step_over_floor, conv_floor_hot_ms, the other bandwidths, and convolutions (each
// shape's fastest kernel and the plans' own).
nlohmann::ordered_json ToJson(const Report& report);

// A table of several reports, one line each, in Markdown.
std::string ToMarkdown(const std::vector<Report>& reports);

}  // namespace pdarts::bench
