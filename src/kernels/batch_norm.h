// Batch normalisation per channel, channels last: src [rows, C] with rows = N * H * W, dense fp32, any C. In parts, so
// that a reader can take the statistics and normalise by itself. Results do not depend on the number of threads. No
// buffer may overlap another.
#pragma once

#include <cstdint>
#include <functional>

namespace pdarts::kernels {

// Floats of scratch for BatchNormStatistics; BatchNormBackwardReduce.
int64_t BatchNormStatisticsScratch(int64_t rows, int64_t channels);
int64_t BatchNormReduceScratch(int64_t rows, int64_t channels);

// mean [C] and variance [C] (biased: divided by rows). A chunk of fixed size is centred on its own mean; chunks are
// joined in double. To be normalised with as they are, in double: their rounding would shift whole channels.
struct BatchNormStatisticsArgs {
  const float* src;
  int64_t rows, channels;
  double* mean;
  double* variance;
  float* scratch;
};
void BatchNormStatistics(const BatchNormStatisticsArgs& args);

// dst = (src - mean) / sqrt(variance + epsilon) * gamma + beta, within about one ulp, and what is common to a channel
// as exact as in double: with batch statistics in training, running ones in inference. Infinite src may give NaN.
struct BatchNormApplyArgs {
  const float* src;
  int64_t rows, channels;
  const double* mean;
  const double* variance;
  float epsilon;
  const float* gamma;  // [C], or nullptr for 1
  const float* beta;   // [C], or nullptr for 0
  float* dst;
  double* scratch;    // 2 * C
  bool relu = false;  // dst = max(dst, 0); NaN stays
};
void BatchNormApply(const BatchNormApplyArgs& args);

// diff_beta [C] = sum of diff_dst; diff_gamma [C] = sum of diff_dst * normalised src. Wanted without affine parameters
// too: BatchNormBackwardData needs both.
struct BatchNormBackwardReduceArgs {
  const float* src;
  const float* diff_dst;
  int64_t rows, channels;
  const double* mean;
  const double* variance;
  float epsilon;
  float* diff_gamma;
  float* diff_beta;
  float* scratch;
};
void BatchNormBackwardReduce(const BatchNormBackwardReduceArgs& args);

// diff_src = gamma * invstd * (diff_dst - diff_beta / rows - normalised src * diff_gamma / rows) * factor, for batch
// statistics.
struct BatchNormBackwardDataArgs {
  const float* src;
  const float* diff_dst;
  int64_t rows, channels;
  const double* mean;
  const double* variance;
  float epsilon;
  const float* gamma;  // or nullptr for 1
  const float* diff_gamma;
  const float* diff_beta;
  float* diff_src;
  float* scratch;    // BatchNormGradientLinesSize(C) floats
  float factor = 1;  // diff_dst, diff_gamma and diff_beta are all without it
};
void BatchNormBackwardData(const BatchNormBackwardDataArgs& args);

// running = (1 - momentum) * running + momentum * batch, with the unbiased variance rows / (rows - 1) * variance
// (biased where rows is 1).
struct RunningStatisticsArgs {
  const double* mean;
  const double* variance;  // biased
  int64_t rows, channels;
  float momentum;
  float* running_mean;
  float* running_variance;
};
void UpdateRunningStatistics(const RunningStatisticsArgs& args);

// The same in parts, on the calling thread, for who does more with some rows while they are in the cache.

// What a channel is normalised with, made once: BatchNormLinesSize(C) floats.
struct BatchNormLinesArgs {
  const double* mean;
  const double* variance;
  const float* gamma;  // [C], or nullptr for 1
  const float* beta;   // [C], or nullptr for 0
  float epsilon;
  int64_t channels;
};
int64_t BatchNormLinesSize(int64_t channels);
void MakeBatchNormLines(const BatchNormLinesArgs& args, float* lines);
void BatchNormApplyRows(const float* lines, const float* src, int64_t rows, int64_t channels, bool relu, float* dst);

// Moments [3][C] of some rows, at most a few thousand, for JoinBatchNormMoments.
void BatchNormChunkMoments(const float* src, int64_t rows, int64_t channels, float* moments);
struct BatchNormJoinArgs {
  const float* moments;  // [chunks][3][C]
  int64_t chunks, channels;
  const std::function<int64_t(int64_t)>& rows;  // of a chunk; 0: its moments are not read
  double* mean;
  double* variance;  // biased
};
void JoinBatchNormMoments(const BatchNormJoinArgs& args);
// The same on the calling thread, and then merged [3][C]: the moments of all the chunks' rows as one chunk's, rounded.
void MergeBatchNormMoments(const BatchNormJoinArgs& args, float* merged);

// What the gradient with respect to src is made with, once: BatchNormGradientLinesSize(C) floats.
struct BatchNormGradientLinesArgs {
  const double* mean;
  const double* variance;
  const float* gamma;  // or nullptr for 1
  const float* diff_gamma;
  const float* diff_beta;
  float factor, epsilon;         // factor: diff_dst, diff_gamma and diff_beta are all without it
  int64_t batch_rows, channels;  // batch_rows: that diff_gamma and diff_beta are sums over
};
int64_t BatchNormGradientLinesSize(int64_t channels);
void MakeBatchNormGradientLines(const BatchNormGradientLinesArgs& args, float* lines);
void BatchNormGradientRows(const float* lines, const float* src, const float* diff_dst, int64_t rows, int64_t channels,
                           float* diff_src);

// products [C] = sum of diff_dst * (src - mean), sums [C] = sum of diff_dst of some rows.
struct BatchNormChunkSumsArgs {
  const float* src;
  const float* diff_dst;
  int64_t rows, channels;
  const float* mean;
  float* products;
  float* sums;
};
void BatchNormChunkSums(const BatchNormChunkSumsArgs& args);
// diff_gamma and diff_beta from the chunks' products and sums; rounded_mean is what they were taken with.
struct BatchNormFinishArgs {
  const float* partial;  // [chunks][2][C]
  int64_t chunks, channels;
  const double* mean;
  const float* rounded_mean;
  const double* variance;
  float epsilon;
  float* diff_gamma;
  float* diff_beta;
};
void FinishBatchNormSums(const BatchNormFinishArgs& args);

}  // namespace pdarts::kernels
