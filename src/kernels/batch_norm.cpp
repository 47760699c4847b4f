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

// Joins the chunks' moments of channels [begin, end): channels inside chunks, as they lie in memory.
void JoinMoments(const BatchNormStatisticsArgs& a, int64_t begin, int64_t end) {
  const int64_t c = a.channels, size = ChunkRows(c), chunks = Chunks(a.rows, c);
  const double total = static_cast<double>(a.rows);
  const auto count = [&](int64_t chunk) { return static_cast<double>(std::min(size, a.rows - chunk * size)); };
  std::fill(a.mean + begin, a.mean + end, 0.0);
  std::fill(a.variance + begin, a.variance + end, 0.0);
  for (int64_t k = 0; k < chunks; ++k) {
    const float* moments = a.scratch + 3 * c * k;
    const double rows = count(k);
    for (int64_t i = begin; i < end; ++i) a.mean[i] += moments[i] * rows + moments[c + i];
  }
  for (int64_t i = begin; i < end; ++i) a.mean[i] /= total;
  for (int64_t k = 0; k < chunks; ++k) {
    const float* moments = a.scratch + 3 * c * k;
    const double rows = count(k), inverse = 1 / rows;
    for (int64_t i = begin; i < end; ++i) {
      const double off = moments[i] - a.mean[i] + moments[c + i] * inverse;
      a.variance[i] += moments[2 * c + i] + off * off * rows;
    }
  }
  for (int64_t i = begin; i < end; ++i) a.variance[i] /= total;
}

constexpr int64_t kJoined = 16;

// Joins the chunks' sums of `count` channels, at most kJoined.
void JoinSums(const BatchNormBackwardReduceArgs& a, int64_t first, int64_t count) {
  const int64_t c = a.channels, chunks = Chunks(a.rows, c);
  double products[kJoined] = {}, sums[kJoined] = {};
  for (int64_t k = 0; k < chunks; ++k) {
    const float* from = a.scratch + 2 * c * k + first;
    for (int64_t i = 0; i < count; ++i) {
      products[i] += from[i];
      sums[i] += from[c + i];
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    a.diff_gamma[first + i] = static_cast<float>(products[i] * InverseDeviation(a.variance[first + i], a.epsilon));
    a.diff_beta[first + i] = static_cast<float>(sums[i]);
  }
}

}  // namespace

int64_t BatchNormStatisticsScratch(int64_t rows, int64_t channels) { return 3 * channels * Chunks(rows, channels); }

int64_t BatchNormReduceScratch(int64_t rows, int64_t channels) { return 2 * channels * Chunks(rows, channels); }

void BatchNormStatistics(const BatchNormStatisticsArgs& a) {
  Check(a.rows, a.channels);
  const BatchNormTable& table = PD_KERNEL_TABLE(kBatchNorm);
  const int64_t c = a.channels;
  ForChunks(a.rows, c, [&](int64_t chunk, int64_t first, int64_t rows) {
    float* moments = a.scratch + 3 * c * chunk;
    table.moments({a.src + first * c, rows, c, moments, moments + c, moments + 2 * c});
  });
  base::ParallelFor(c, 16, [&](int64_t begin, int64_t end) { JoinMoments(a, begin, end); });
}

void BatchNormApply(const BatchNormApplyArgs& a) {
  Check(a.rows, a.channels);
  const BatchNormTable& table = PD_KERNEL_TABLE(kBatchNorm);
  const int64_t c = a.channels;
  float* centre = new (a.scratch) float[4 * c];
  float *scale = centre + c, *rest = centre + 2 * c, *shift = centre + 3 * c;
  for (int64_t i = 0; i < c; ++i) {
    const Line line =
        LineOf(a.mean[i], a.variance[i] + a.epsilon, a.gamma ? a.gamma[i] : 1.0, a.beta ? a.beta[i] : 0.0);
    centre[i] = line.centre;
    scale[i] = line.scale;
    rest[i] = line.scale_rest;
    shift[i] = line.shift;
  }
  const float floor = a.relu ? 0.0f : -std::numeric_limits<float>::infinity();
  ForChunks(a.rows, c, [&](int64_t, int64_t first, int64_t rows) {
    table.apply({a.src + first * c, a.dst + first * c, rows, c, centre, scale, rest, shift, floor});
  });
}

void BatchNormBackwardReduce(const BatchNormBackwardReduceArgs& a) {
  Check(a.rows, a.channels);
  const BatchNormTable& table = PD_KERNEL_TABLE(kBatchNorm);
  const int64_t c = a.channels;
  ForChunks(a.rows, c, [&](int64_t chunk, int64_t first, int64_t rows) {
    float* sums = a.scratch + 2 * c * chunk;
    table.backward_sums({a.src + first * c, a.diff_dst + first * c, rows, c, a.mean, sums, sums + c});
  });
  base::ParallelFor(c, kJoined, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kJoined) JoinSums(a, first, std::min(kJoined, end - first));
  });
}

void BatchNormBackwardData(const BatchNormBackwardDataArgs& a) {
  Check(a.rows, a.channels);
  const BatchNormTable& table = PD_KERNEL_TABLE(kBatchNorm);
  const int64_t c = a.channels;
  float* scale = a.scratch;      // of diff_dst
  float* slope = a.scratch + c;  // of src - mean
  float* shift = a.scratch + 2 * c;
  const double rows = static_cast<double>(a.batch_rows > 0 ? a.batch_rows : a.rows);
  for (int64_t i = 0; i < c; ++i) {
    const double inverse = InverseDeviation(a.variance[i], a.epsilon);
    const double factor = inverse * (a.gamma ? a.gamma[i] : 1.0f) * a.factor;
    scale[i] = static_cast<float>(factor);
    slope[i] = static_cast<float>(-factor * inverse * a.diff_gamma[i] / rows);
    shift[i] = static_cast<float>(-factor * a.diff_beta[i] / rows);
  }
  ForChunks(a.rows, c, [&](int64_t, int64_t first, int64_t count) {
    table.backward_data(
        {a.src + first * c, a.diff_dst + first * c, a.diff_src + first * c, count, c, a.mean, scale, shift, slope});
  });
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
