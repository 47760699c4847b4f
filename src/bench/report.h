// A report as JSON; the keys are read by other programs.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bench/step_bench.h"

namespace pdarts::bench {

// stage, batch, threads, isa, weight_step and arch_step (median_ms, min_ms, max_ms, ms_per_image, images_per_second;
// arch_step is null for a network without alphas), planned_bytes and peak_bytes, reorders, and ops (kind, calls, ms,
// share, gflops, gbs) of the weight step; beside them planned_bytes_by_arena, base_bytes, reorder_bytes,
// activation_reorders, and kernels, arch_ops, arch_kernels in the form of ops.
nlohmann::ordered_json ToJson(const Report& report);

}  // namespace pdarts::bench
