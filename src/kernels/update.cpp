#include "kernels/update.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

// log(sum of exp(row)), without overflow.
double LogSumExp(const float* row, int64_t columns) {
  const double largest = *std::max_element(row, row + columns);
  double sum = 0;
  for (int64_t i = 0; i < columns; ++i) sum += std::exp(row[i] - largest);
  return largest + std::log(sum);
}

double Target(const CrossEntropyArgs& args, int64_t row, int64_t column) {
  const double smoothing = args.smoothing;
  return smoothing / static_cast<double>(args.classes) + (args.labels[row] == column ? 1 - smoothing : 0);
}

}  // namespace

void SgdUpdate(const SgdArgs& args) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  base::ParallelFor(args.count, 8192, [&](int64_t b, int64_t e) {
    table.sgd({args.params + b, args.momentum_buffer + b, args.grads + b, e - b, args.clip, args.learning_rate,
               args.momentum, args.weight_decay});
  });
}

void AdamUpdate(const AdamArgs& args) {
  PD_CHECK(args.step >= 1, "step {}", args.step);
  const double step = static_cast<double>(args.step);
  const double step_size = args.learning_rate / (1 - std::pow(args.beta1, step));
  const double root_correction = std::sqrt(1 - std::pow(args.beta2, step));
  base::ParallelFor(args.count, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double grad = args.clip * args.grads[i] + args.weight_decay * args.params[i];
      const double first = args.beta1 * args.first_moment[i] + (1 - args.beta1) * grad;
      const double second = args.beta2 * args.second_moment[i] + (1 - args.beta2) * grad * grad;
      args.first_moment[i] = static_cast<float>(first);
      args.second_moment[i] = static_cast<float>(second);
      args.params[i] -= static_cast<float>(step_size * first / (std::sqrt(second) / root_correction + args.epsilon));
    }
  });
}

float SoftmaxCrossEntropy(const CrossEntropyArgs& args, float* losses) {
  PD_CHECK(args.rows >= 1 && args.classes >= 1, "{} rows, {} classes", args.rows, args.classes);
  double sum = 0;
  for (int64_t row = 0; row < args.rows; ++row) {
    PD_CHECK(args.labels[row] >= 0 && args.labels[row] < args.classes, "label {} of {}", args.labels[row],
             args.classes);
    const float* logits = args.logits + row * args.classes;
    const double log_sum = LogSumExp(logits, args.classes);
    double loss = 0;
    for (int64_t k = 0; k < args.classes; ++k) loss += Target(args, row, k) * (log_sum - logits[k]);
    losses[row] = static_cast<float>(loss);
    sum += loss;
  }
  return static_cast<float>(sum / static_cast<double>(args.rows));
}

void SoftmaxCrossEntropyBackward(const CrossEntropyArgs& args, float diff_mean, float* diff_logits) {
  const double factor = diff_mean / static_cast<double>(args.rows);
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* logits = args.logits + row * args.classes;
    const double log_sum = LogSumExp(logits, args.classes);
    for (int64_t k = 0; k < args.classes; ++k) {
      const double probability = std::exp(logits[k] - log_sum);
      diff_logits[row * args.classes + k] = static_cast<float>(factor * (probability - Target(args, row, k)));
    }
  }
}

void Softmax(const float* src, float* dst, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) {
    const double log_sum = LogSumExp(src + row * columns, columns);
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i)
      dst[i] = static_cast<float>(std::exp(src[i] - log_sum));
  }
}

void SoftmaxBackward(const float* dst, const float* diff_dst, float* diff_src, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) {
    double dot = 0;
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i) dot += static_cast<double>(dst[i]) * diff_dst[i];
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i)
      diff_src[i] = static_cast<float>(dst[i] * (diff_dst[i] - dot));
  }
}

}  // namespace pdarts::kernels
