// The graphs that are compiled and run: a weights step, an architecture step, an evaluation. They read and assign slots
// of equal names, so their plans share one storage.
//
// Inputs, all [1] f64 unless said otherwise; an input that the network does not use is absent from the plan:
//   images [N, 3, H, W] in the step's dtype, labels i32 [N], rate, adam_count, drop_path_rate, skip_dropout_rate, rng
//   i64 [2] {seed, step}
// Outputs: loss [1] (step dtype), correct f64 [2] (top-1, top-5), logits [N, classes], logits_auxiliary (with the
// head),
//   sum_squares f64 [1] of the gradients before clipping (steps only), "grad.<slot>" if asked for.
#pragma once

#include <variant>

#include "nn/networks.h"

namespace pdarts::nn {

using NetworkSpec = std::variant<SearchNetworkSpec, EvaluationNetworkSpec>;

struct StepOptions {
  int64_t batch = 96, image_size = 32;
  tensor::DType dtype = tensor::DType::kF32;
  tensor::Layout image_layout = tensor::Layout::kChannelsLast;  // as the loader makes them; kPlain for the reference
  double label_smoothing = 0, auxiliary_weight = 0.4;
  ops::SgdAttributes sgd;
  ops::AdamAttributes adam;
  bool output_gradients = false;
};

// Forward in training mode, backward to every parameter, clip, SGD, running statistics.
ir::Graph WeightsStep(const NetworkSpec& spec, const StepOptions& options);
// Forward in training mode, backward to the alphas only, clip, Adam, running statistics (the published implementation's
// first order).
ir::Graph ArchitectureStep(const SearchNetworkSpec& spec, const StepOptions& options);
// Running statistics, no dropout, nothing assigned.
ir::Graph EvaluationStep(const NetworkSpec& spec, const StepOptions& options);

}  // namespace pdarts::nn
