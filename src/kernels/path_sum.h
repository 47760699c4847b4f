// Sums of paths, as a node of an evaluated cell adds up its two edges, channels last: every src [samples, pixels, C],
// dense fp32, any C. A path is src normalised, with gamma and beta, or src itself, and each of its samples times a
// factor, as drop path has it. No normalised tensor is written: each source is read once, and a sample of factor 0 not
// at all. Results do not depend on the number of threads. No buffer may overlap another.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pdarts::kernels {

// Stands for factors[sample] * (gamma * (src - mean) / sqrt(variance + epsilon) + beta), or factors[sample] * src.
struct PathTerm {
  const float* src;
  const double* mean = nullptr;      // [C]; nullptr for src itself
  const double* variance = nullptr;  // [C]
  const float* gamma = nullptr;      // [C]; nullptr for 1
  const float* beta = nullptr;       // [C]; nullptr for 0
  const double* factors = nullptr;   // [samples]; nullptr for 1
};

// dst = the sum of the terms, in double and rounded once: what each adds to every pixel of a sample first, then the
// sources in order. At least one term.
struct PathSumArgs {
  const PathTerm* terms;
  int64_t count, samples, pixels, channels;
  double epsilon;
  float* dst;
  int lanes;      // the number of threads
  void* scratch;  // PathSumScratch bytes, aligned to a cache line
};
size_t PathSumScratch(int64_t terms, int64_t channels, int lanes);
void PathSum(const PathSumArgs& args);

// From diff_dst, the gradient of the sum: for each term, all of which are normalised, diff_gammas[k] [C] = sum of
// factors * diff_dst * (src - mean) / sqrt(variance + epsilon), diff_betas[k] [C] = sum of factors * diff_dst. gamma
// and beta are not read. Chunks of fixed size are summed in fp32 vectors, centred on the mean, their sums in double.
struct PathSumBackwardArgs {
  const PathTerm* terms;
  int64_t count, samples, pixels, channels;
  double epsilon;
  const float* diff_dst;
  float* const* diff_gammas;
  float* const* diff_betas;
  int lanes;
  void* scratch;  // PathSumBackwardScratch bytes, aligned to a cache line
};
size_t PathSumBackwardScratch(int64_t terms, int64_t samples, int64_t pixels, int64_t channels, int lanes);
void PathSumBackward(const PathSumBackwardArgs& args);

}  // namespace pdarts::kernels
