#include "kernels/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

// Rows per chunk: about 16 KB, so that the second look at a chunk hits the first cache. Fixed by the sizes: it shapes
// the sums.
int64_t ChunkRows(int64_t channels) { return std::max<int64_t>(8, 4096 / channels); }

int64_t Chunks(int64_t rows, int64_t channels) { return (rows + ChunkRows(channels) - 1) / ChunkRows(channels); }

double InverseDeviation(double variance, float epsilon) { return 1.0 / std::sqrt(variance + epsilon); }

// Calls body(chunk, first row, rows) for all chunks, on all threads.
template <typename Body>
void ForChunks(int64_t rows, int64_t channels, const Body& body) {
  const int64_t size = ChunkRows(channels);
  base::ParallelFor(Chunks(rows, channels), 2, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) body(chunk, chunk * size, std::min(size, rows - chunk * size));
  });
}

void Check(int64_t rows, int64_t channels) {
  PD_CHECK(rows >= 1 && channels >= 1, "{} rows, {} channels", rows, channels);
}

// (src - centre) * (scale + scale_rest) + shift in float, so that nothing that is the same for a whole channel is
// rounded to float: the scale is split in two, and the centre takes mean and beta, both to a grid so coarse that src -
// centre is exact or rounds src's own last bits; the rest, less than 2^-10 of the deviation, is the shift.
struct Line {
  float centre, scale, scale_rest, shift;
};

Line LineOf(double mean, double variance, double gamma, double beta) {
  const double deviation = std::sqrt(variance), scale = gamma / deviation;
  const bool fold =
      std::abs(beta) < 0x1p20 * std::abs(gamma);  // else src hardly counts, and beta alone is exact enough
  const double centre = fold ? mean - beta / scale : mean;
  const double grid = deviation * 0x1p42;  // adding it leaves 11 bits below the deviation
  Line line{.centre = static_cast<float>((centre + grid) - grid), .scale = static_cast<float>(scale)};
  line.scale_rest = static_cast<float>(scale - line.scale);
  line.shift = static_cast<float>((line.centre - centre) * scale + (fold ? 0 : beta));
  return line;
}

// Channels per thread at least, where so many chunks are joined: a parallel region costs some microseconds.
int64_t JoinGrain(int64_t chunks) { return 8 + 16384 / chunks / 8 * 8; }

// Calls body(first chunk, chunks, their rows) for all chunks, some at a time.
template <typename Body>
void ForChunksRows(const BatchNormJoinArgs& a, const Body& body) {
  constexpr int64_t kMost = 128;
  double rows[kMost];
  for (int64_t first = 0; first < a.chunks; first += kMost) {
    const int64_t count = std::min(kMost, a.chunks - first);
    for (int64_t k = 0; k < count; ++k) rows[k] = static_cast<double>(a.rows(first + k));
    body(first, count, rows);
  }
}

// Joins the chunks' moments of channels [begin, end). Returns the rows of all.
double JoinChannels(const BatchNormJoinArgs& a, int64_t begin, int64_t end) {
  const int64_t c = a.channels;
  const BatchNormTable& table = PD_KERNEL_TABLE(kBatchNorm);
  double total = 0;
  std::fill(a.mean + begin, a.mean + end, 0.0);
  std::fill(a.variance + begin, a.variance + end, 0.0);
  ForChunksRows(a, [&](int64_t first, int64_t count, const double* rows) {
    for (int64_t k = 0; k < count; ++k) total += rows[k];
    table.join_means({a.moments + 3 * c * first, rows, count, c, begin, end, a.mean, a.variance});
  });
  for (int64_t i = begin; i < end; ++i) a.mean[i] /= total;
  ForChunksRows(a, [&](int64_t first, int64_t count, const double* rows) {
    table.join_squares({a.moments + 3 * c * first, rows, count, c, begin, end, a.mean, a.variance});
  });
  for (int64_t i = begin; i < end; ++i) a.variance[i] /= total;
  return total;
}

// The sums of channels [begin, end), with the rounding of the mean put right.
void JoinSums(const BatchNormFinishArgs& a, int64_t begin, int64_t end) {
  constexpr int64_t kMost = 64;
  double products[kMost], sums[kMost];
  const int64_t size = 2 * a.channels;
  for (int64_t first = begin; first < end; first += kMost) {
    const int64_t count = std::min(kMost, end - first);
    const auto add = PD_KERNEL_TABLE(kPartialSums).add;
    add({a.partial + first, a.chunks, size, 0, count, nullptr, products});
    add({a.partial + a.channels + first, a.chunks, size, 0, count, nullptr, sums});
    for (int64_t i = first; i < first + count; ++i) {
      const double sum = sums[i - first], product = products[i - first] + (a.rounded_mean[i] - a.mean[i]) * sum;
      a.diff_gamma[i] = static_cast<float>(product * InverseDeviation(a.variance[i], a.epsilon));
      a.diff_beta[i] = static_cast<float>(sum);
    }
  }
}

}  // namespace

int64_t BatchNormStatisticsScratch(int64_t rows, int64_t channels) { return 3 * channels * Chunks(rows, channels); }

int64_t BatchNormReduceScratch(int64_t rows, int64_t channels) { return channels * (2 * Chunks(rows, channels) + 1); }

void BatchNormStatistics(const BatchNormStatisticsArgs& a) {
  Check(a.rows, a.channels);
  const int64_t c = a.channels;
  ForChunks(a.rows, c, [&](int64_t chunk, int64_t first, int64_t rows) {
    BatchNormChunkMoments(a.src + first * c, rows, c, a.scratch + 3 * c * chunk);
  });
  const int64_t size = ChunkRows(c);
  JoinBatchNormMoments({a.scratch, Chunks(a.rows, c), c,
                        [&](int64_t chunk) { return std::min(size, a.rows - chunk * size); }, a.mean, a.variance});
}

void BatchNormChunkMoments(const float* src, int64_t rows, int64_t channels, float* moments) {
  PD_KERNEL_TABLE(kBatchNorm).moments({src, rows, channels, moments, moments + channels, moments + 2 * channels});
}

void JoinBatchNormMoments(const BatchNormJoinArgs& a) {
  base::ParallelFor(a.channels, JoinGrain(a.chunks), [&](int64_t begin, int64_t end) { JoinChannels(a, begin, end); });
}

void MergeBatchNormMoments(const BatchNormJoinArgs& a, float* merged) {
  const int64_t c = a.channels;
  const double rows = JoinChannels(a, 0, c);
  for (int64_t i = 0; i < c; ++i) {
    merged[i] = static_cast<float>(a.mean[i]);
    merged[c + i] = static_cast<float>((a.mean[i] - merged[i]) * rows);
    merged[2 * c + i] = static_cast<float>(a.variance[i] * rows);
  }
}

int64_t BatchNormLinesSize(int64_t channels) { return 4 * channels; }

// [centre, scale, the rest of scale, shift][C].
void MakeBatchNormLines(const BatchNormLinesArgs& a, float* lines) {
  const int64_t c = a.channels;
  for (int64_t i = 0; i < c; ++i) {
    const Line line =
        LineOf(a.mean[i], a.variance[i] + a.epsilon, a.gamma ? a.gamma[i] : 1.0, a.beta ? a.beta[i] : 0.0);
    lines[i] = line.centre;
    lines[c + i] = line.scale;
    lines[2 * c + i] = line.scale_rest;
    lines[3 * c + i] = line.shift;
  }
}

void BatchNormApplyRows(const float* lines, const float* src, int64_t rows, int64_t channels, bool relu, float* dst) {
  const float floor = relu ? 0.0f : -std::numeric_limits<float>::infinity();
  PD_KERNEL_TABLE(kBatchNorm)
      .apply({src, dst, rows, channels, lines, lines + channels, lines + 2 * channels, lines + 3 * channels, floor});
}

void BatchNormApply(const BatchNormApplyArgs& a) {
  Check(a.rows, a.channels);
  const int64_t c = a.channels;
  float* lines = new (a.scratch) float[4 * c];
  MakeBatchNormLines({a.mean, a.variance, a.gamma, a.beta, a.epsilon, c}, lines);
  ForChunks(a.rows, c, [&](int64_t, int64_t first, int64_t rows) {
    BatchNormApplyRows(lines, a.src + first * c, rows, c, a.relu, a.dst + first * c);
  });
}

void BatchNormBackwardReduce(const BatchNormBackwardReduceArgs& a) {
  Check(a.rows, a.channels);
  const int64_t c = a.channels;
  float *mean = a.scratch, *partial = a.scratch + c;
  for (int64_t i = 0; i < c; ++i) mean[i] = static_cast<float>(a.mean[i]);
  ForChunks(a.rows, c, [&](int64_t chunk, int64_t first, int64_t rows) {
    float* sums = partial + 2 * c * chunk;
    BatchNormChunkSums({a.src + first * c, a.diff_dst + first * c, rows, c, mean, sums, sums + c});
  });
  FinishBatchNormSums({partial, Chunks(a.rows, c), c, a.mean, mean, a.variance, a.epsilon, a.diff_gamma, a.diff_beta});
}

void BatchNormChunkSums(const BatchNormChunkSumsArgs& a) {
  PD_KERNEL_TABLE(kBatchNorm).backward_sums({a.src, a.diff_dst, a.rows, a.channels, a.mean, a.products, a.sums});
}

void FinishBatchNormSums(const BatchNormFinishArgs& a) {
  base::ParallelFor(a.channels, JoinGrain(a.chunks), [&](int64_t begin, int64_t end) { JoinSums(a, begin, end); });
}

void BatchNormBackwardData(const BatchNormBackwardDataArgs& a) {
  Check(a.rows, a.channels);
  const int64_t c = a.channels;
  MakeBatchNormGradientLines({.mean = a.mean,
                              .variance = a.variance,
                              .gamma = a.gamma,
                              .diff_gamma = a.diff_gamma,
                              .diff_beta = a.diff_beta,
                              .factor = a.factor,
                              .epsilon = a.epsilon,
                              .batch_rows = a.rows,
                              .channels = c},
                             a.scratch);
  ForChunks(a.rows, c, [&](int64_t, int64_t first, int64_t count) {
    BatchNormGradientRows(a.scratch, a.src + first * c, a.diff_dst + first * c, count, c, a.diff_src + first * c);
  });
}

int64_t BatchNormGradientLinesSize(int64_t channels) { return 4 * channels; }

// [the mean, the factors of diff_dst and of src - mean, the shift][C].
void MakeBatchNormGradientLines(const BatchNormGradientLinesArgs& a, float* lines) {
  const int64_t c = a.channels;
  const double rows = static_cast<double>(a.batch_rows);
  for (int64_t i = 0; i < c; ++i) {
    const double inverse = InverseDeviation(a.variance[i], a.epsilon);
    const double factor = inverse * (a.gamma ? a.gamma[i] : 1.0f) * a.factor;
    const double slope = -factor * inverse * a.diff_gamma[i] / rows;
    lines[i] = static_cast<float>(a.mean[i]);
    lines[c + i] = static_cast<float>(factor);
    lines[2 * c + i] = static_cast<float>(slope);
    lines[3 * c + i] = static_cast<float>(-factor * a.diff_beta[i] / rows + slope * (lines[i] - a.mean[i]));
  }
}

void BatchNormGradientRows(const float* lines, const float* src, const float* diff_dst, int64_t rows, int64_t channels,
                           float* diff_src) {
  const int64_t c = channels;
  PD_KERNEL_TABLE(kBatchNorm)
      .backward_data({src, diff_dst, diff_src, rows, c, lines, lines + c, lines + 3 * c, lines + 2 * c});
}

void UpdateRunningStatistics(const RunningStatisticsArgs& a) {
  Check(a.rows, a.channels);
  const double momentum = a.momentum, rows = static_cast<double>(a.rows), unbias = a.rows > 1 ? rows / (rows - 1) : 1.0;
  for (int64_t i = 0; i < a.channels; ++i) {
    a.running_mean[i] = static_cast<float>((1 - momentum) * a.running_mean[i] + momentum * a.mean[i]);
    a.running_variance[i] =
        static_cast<float>((1 - momentum) * a.running_variance[i] + momentum * unbias * a.variance[i]);
  }
}

}  // namespace pdarts::kernels
