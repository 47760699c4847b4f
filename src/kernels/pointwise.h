// 1x1 convolutions, channels last: src [pixels, in], dst [pixels, out], pixels = N * H * W, weights [out, in / groups],
// all dense fp32, any channel counts. That is a matrix product over the pixels. Groups are blocks on the diagonal of
// one matrix: with the zeros beside them G groups cost G times the multiply-adds, but a group alone would be narrower
// than the products' tiles. Results do not depend on the number of threads. No buffer may overlap another.
#pragma once

#include <cstdint>

#include "kernels/between.h"

namespace pdarts::kernels {

struct PointwiseParams {
  int64_t pixels, in, out;  // pixels and channels
  int64_t groups = 1;       // divides in and out
};

// Floats of scratch: forward; backward data; backward weights.
int64_t PointwiseScratch(const PointwiseParams& params);
int64_t PointwiseDataScratch(const PointwiseParams& params);
int64_t PointwiseWeightsScratch(const PointwiseParams& params);

struct PointwiseForwardArgs {
  const float* src;
  const float* weights;
  float* dst;
  float* scratch;
};
// dst[p][o] = sum over i of src[p][i] * weights[o][i], with i in o's group.
void PointwiseForward(const PointwiseParams& params, const PointwiseForwardArgs& args);

struct PointwiseBackwardDataArgs {
  const float* diff_dst;
  const float* weights;
  float* diff_src;
  float* scratch;
};
// diff_src[p][i] = sum over o of diff_dst[p][o] * weights[o][i].
void PointwiseBackwardData(const PointwiseParams& params, const PointwiseBackwardDataArgs& args);

struct PointwiseBackwardWeightsArgs {
  const float* src;
  const float* diff_dst;
  float* diff_weights;
  float* scratch;
};
// diff_weights[o][i] = sum over p of diff_dst[p][o] * src[p][i].
void PointwiseBackwardWeights(const PointwiseParams& params, const PointwiseBackwardWeightsArgs& args);

// The same in parts, on the calling thread, for who does more with some pixels while they are in the cache.

// dst [rows, n] = src [rows, k] times matrix [k, n].
struct PointwiseProductArgs {
  const float* src;
  const float* matrix;
  float* dst;
  int64_t rows, k, n;
  float* moments = nullptr;  // as BatchNormChunkMoments finds them for dst, [3][n]
  bool stream = false;       // with moments: dst is written past the caches if its rows are aligned; see StreamCopy
  const Between* between = nullptr;  // between tiles of some rows and columns, if there are so many
};
void PointwiseProduct(const PointwiseProductArgs& args);

// sums [m, n] += the transpose of left [rows, m] times right [rows, n]; = where there is nothing in them yet.
struct PointwiseSumsArgs {
  const float* left;
  const float* right;
  float* sums;
  int64_t rows, m, n;
  bool fresh;
  const Between* between = nullptr;
};
void AddPointwiseProducts(const PointwiseSumsArgs& args);

// The matrix [out, in] of a convolution: its weights, or of one in groups made of them in `wide`, PointwiseDataScratch
// floats; and of such a matrix what lies on the groups' blocks.
const float* PointwiseMatrix(const PointwiseParams& params, const float* weights, float* wide);
void NarrowGroups(const PointwiseParams& params, const float* matrix, float* weights);

// [columns, rows] from [rows, columns].
void Transpose(const float* src, int64_t rows, int64_t columns, float* dst);

}  // namespace pdarts::kernels
