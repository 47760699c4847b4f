// Element-wise passes over flat fp32 arrays of `count` elements, and weighted sums of several. Any layout, as long as
// all agree. Results do not depend on the number of threads. dst may be equal to a source where said, and may not
// overlap it otherwise.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

// dst = max(src, 0); a NaN stays. dst may be src.
void Relu(const float* src, float* dst, int64_t count);

// diff_src = diff_dst where src > 0, else 0. As src either the input or the output of the ReLU will do. diff_src may be
// diff_dst.
void ReluBackward(const float* src, const float* diff_dst, float* diff_src, int64_t count);

// dst = factor * src. dst may be src.
void Scale(const float* src, float factor, float* dst, int64_t count);

// dst = sum over i of weights[i] * srcs[i], added in the order of i; weights == nullptr means all 1. At least one
// source. dst may be srcs[0].
struct WeightedSumArgs {
  const float* const* srcs;
  const float* weights;
  int64_t sources;
  float* dst;
  int64_t count;
};
void WeightedSum(const WeightedSumArgs& args);

// dots[i] = <diff_dst, srcs[i]>: the gradients of the weights of a weighted sum, in one pass over diff_dst. Chunks of
// fixed size are summed in fp32 vectors, their sums in double.
struct DotsArgs {
  const float* const* srcs;
  int64_t sources;
  const float* diff_dst;
  float* dots;
  int64_t count;
  float* scratch;  // DotsScratch(sources, count) floats
};
int64_t DotsScratch(int64_t sources, int64_t count);
void Dots(const DotsArgs& args);

// On the calling thread: dst = src + add where mask is positive, else 0; add and mask may be nullptr. dst [rows][width]
// is dense, the others' rows lie `stride` apart.
struct AddMaskedArgs {
  const float* src;
  const float* add;
  const float* mask;
  float* dst;
  int64_t rows, width, stride;
  bool stream = false;  // dst is written past the caches if its rows are aligned; see StreamCopy
};
void AddMasked(const AddMaskedArgs& args);

// On the calling thread: copies past the caches, so that dst is neither read before it is written nor kept. Other
// threads see it after FenceStreams() on this one.
void StreamCopy(const float* src, float* dst, int64_t count);
void FenceStreams();

// The sum of squares, in double throughout. scratch: SumOfSquaresScratch(count) doubles.
int64_t SumOfSquaresScratch(int64_t count);
double SumOfSquares(const float* src, int64_t count, double* scratch);

}  // namespace pdarts::kernels
