// The entry points that are compiled once per instruction set, as tables of function pointers. Each works on a range of
// items and is called from ParallelFor by baseline code, so that no std:: code is compiled for a newer set.
#pragma once

#include <cstdint>

#include "kernels/between.h"
#include "kernels/isa.h"

namespace pdarts::kernels {

constexpr int64_t kWidestVector = 16;  // floats

// One row of a depthwise pass: `count` dst pixels, `dst_step` floats apart, gather `taps` neighbours of each of `rows`
// src rows.
struct DepthwiseRow {
  const float* src[16];      // the rows' pixel 0, [src_width][channels]; at most kMaxDepthwiseKernel rows
  const float* weights[16];  // each row's taps in ascending src position, [taps][channels]
  const float* mask;         // nullptr, or a row shaped and strided like dst: dst becomes 0 where it is not positive
  const float* add;          // nullptr, or a row shaped and strided like dst that is added before that; not dst itself
  float* dst;
  int64_t rows, taps, stride, dilation;
  int64_t first;  // src pixel of dst pixel 0's first tap; may be negative
  int64_t src_width, channels, count, dst_step;
  int64_t ahead;  // so many floats behind what is stored are asked for to be written next; 0: none
};

// Rows [first, end) of a 3x3 depthwise pass over an image, stride 1, padded to the same size. Of dilation 2, the image
// is every other row of one; the even columns and the odd ones are images of their own then. Their sides are
// kDepthwise3x3Least at least, channels >= kWidestVector.
constexpr int kDepthwise3x3Rows = 4, kDepthwise3x3Pixels = 8, kDepthwise3x3Least = 4;
struct Depthwise3x3 {
  const float* src;         // the image, [height][dilation][width][channels], [.][0]; also the others' shape
  const float* weights[3];  // of the src rows above, at and below dst's, [3][channels] in ascending src position
  const float* mask;        // these three at row `first`, as in DepthwiseRow
  const float* add;
  float* dst;
  int64_t height, width, channels, dilation, first, end;
  int64_t step, line;      // floats from a pixel, and from a row, to the next
  int64_t to_next;         // floats from these rows to those of the next call, or 0: to the next of these
  bool ahead;              // whether what comes next is asked for beforehand, since it is in no near cache
  const Between* between;  // or nullptr
};

// Where memory lies that is asked for beforehand; it moves along.
struct DepthwiseAsk {
  const float* src;
  const float* dst;
};

// Some rows of a depthwise pass over an image, padded to the same size: 3x3 and 5x5, stride 1 and 2. Of dilation 2, the
// image is every other row and column of one. channels >= kWidestVector; width, and a 5x5's height, from 3 on, of a 5x5
// of stride 2 from 4 on.
struct DepthwiseWindow {
  const float* src;      // the image, [height][width][channels], pixels `step` and rows `src_line` apart
  const float* weights;  // [channels / kWidestVector, rounded up][taps][taps][kWidestVector]; the last ends at the last
                         // channel
  float* dst;            // at row `first`
  int64_t taps, stride;
  int64_t height, width, channels;  // of src
  int64_t first, rows;  // of dst: a 3x3's one, a 5x5's two or three, or four where these are most; no last one is alone
  int64_t step, src_line, dst_line;  // floats from a pixel to the next, and from a row of src and of dst to the next
};

struct DepthwiseWindowTable {
  int64_t most_rows;  // of a 5x5 at once, or three in place of two and one
  void (*rows)(const DepthwiseWindow&, DepthwiseAsk&);
};

// A depthwise backward-weights pass of an image: sums[i][t][c] += sum over rows r and pixels p of diff_dst[r][p][c] *
// src[r * stride - pad + i * dilation][p * stride - pad + t * dilation][c].
struct DepthwiseWeightsImage {
  const float* src;       // [height][width][channels]
  const float* diff_dst;  // [out_height][out_width][channels]
  float* sums;            // [taps][taps][channels]
  int64_t height, width, out_height, out_width, channels, taps, stride, dilation, pad;
  bool ahead;  // whether rows are asked for beforehand, since they are in no near cache
  bool far;    // nor in a second cache, or such that asking pays as well
};

struct Depthwise3x3Table {
  void (*rows)(const Depthwise3x3&);
};

// Padded by the dilation, stride 2 or dilation 2 or neither; sides and channels as in Depthwise3x3.
struct Depthwise3x3WeightsTable {
  void (*image)(const DepthwiseWeightsImage&);
};

// Of stride 2, backward: src is half as high and wide as dst, rounded up, each row of weights in the order of taps 1,
// 2, 0; of dilation 1.
struct Depthwise3x3Stride2Table {
  void (*data_rows)(const Depthwise3x3&);
};

struct DepthwiseTable {
  void (*row)(const DepthwiseRow&);
  void (*weights_image)(const DepthwiseWeightsImage&);
};

// dst [rows, n] = src [rows, k] times matrix [k, n], all dense. moments, or nullptr: BatchNormMoments' three arrays of
// dst's columns, [3][n].
struct MatrixProduct {
  const float* src;
  const float* matrix;
  float* dst;
  int64_t rows, k, n;
  float* moments;
  bool stream;             // with moments: dst is written past the caches, where its rows are whole vectors
  const Between* between;  // or nullptr
};

// sums [m, n] += the transpose of left [rows, m] times right [rows, n], all dense; = where they are fresh.
struct OuterProducts {
  const float* left;
  const float* right;
  float* sums;
  int64_t rows, m, n;
  bool fresh;
  const Between* between;  // or nullptr
};

struct PointwiseTable {
  void (*multiply)(const MatrixProduct&);
  void (*add_outer_products)(const OuterProducts&);
};

// The sum of parts arrays, in their order and in double, for elements [begin, end): rounded to totals [size], which may
// be the first array, or as it is to wide.
struct PartialSums {
  const float* partial;  // [parts][size]
  int64_t parts, size, begin, end;
  float* totals;
  double* wide;  // one of both is nullptr
};

struct PartialSumsTable {
  void (*add)(const PartialSums&);
};

// A dst row of a convolution from few channels: weights [taps][channels][out]; src is at its image's start, `top` the
// src row of the window's first tap, maybe outside.
struct NarrowRow {
  const float* src;
  const double* weights;
  float* dst;
  int64_t top, height, width, channels, out, kernel, stride, pad, count;
};

struct NarrowTable {
  void (*row)(const NarrowRow&);
};

struct SgdRange {
  float* params;
  float* momentum_buffer;
  const float* grads;
  int64_t count;
  float clip, learning_rate, momentum, weight_decay;
};

// dst = src + add where mask is positive, else 0; add and mask may be nullptr. dst [rows][width], the others' rows lie
// `stride` apart.
struct MaskedSum {
  const float* src;
  const float* add;
  const float* mask;
  float* dst;
  int64_t rows, width, stride;
  bool stream;  // past the caches, where dst's rows are whole vectors
};

// Past the caches, where dst is aligned.
struct StreamRange {
  const float* src;
  float* dst;
  int64_t count;
};

struct ElementwiseTable {
  void (*relu)(const float* src, float* dst, int64_t count);
  void (*relu_backward)(const float* src, const float* diff_dst, float* diff_src, int64_t count);
  void (*scale)(const float* src, float factor, float* dst, int64_t count);
  void (*weighted_sum)(const float* const* srcs, const float* weights, int64_t sources, float* dst, int64_t begin,
                       int64_t end);
  float (*dot)(const float* a, const float* b, int64_t count);
  double (*sum_of_squares)(const float* src, int64_t count);
  void (*sgd)(const SgdRange&);
  void (*add_masked)(const MaskedSum&);
  void (*stream)(const StreamRange&);
};

// [rows, channels] of one chunk: dst = diff_dst * scale + (src - mean) * slope + shift.
struct BatchNormGradient {
  const float* src;
  const float* diff_dst;
  float* dst;
  int64_t rows, channels;
  const float* mean;
  const float* scale;
  const float* shift;
  const float* slope;
};

// products [channels] = sum of diff_dst * (src - mean), sums [channels] = sum of diff_dst.
struct BatchNormSums {
  const float* src;
  const float* diff_dst;
  int64_t rows, channels;
  const float* mean;
  float* products;
  float* sums;
};

// dst = max((src - centre) * (scale + scale_rest) + shift, floor); the sum in brackets is not rounded.
struct BatchNormNormalize {
  const float* src;
  float* dst;
  int64_t rows, channels;
  const float* centre;
  const float* scale;
  const float* scale_rest;
  const float* shift;
  float floor;
};

// Of a chunk's rows: the mean is centre + rest / rows; squares are of the distance from it. All [channels].
struct BatchNormMoments {
  const float* src;
  int64_t rows, channels;
  float* centre;
  float* rest;
  float* squares;
};

// Channels [begin, end) of chunks' moments [chunks][3][channels], as BatchNormMoments' three arrays; rows [chunks], 0:
// none, not read. join_means adds to mean what makes the sum of all rows, join_squares the squares of the distances
// from mean.
struct BatchNormJoin {
  const float* moments;
  const double* rows;
  int64_t chunks, channels, begin, end;
  double* mean;
  double* squares;
};

struct BatchNormTable {
  void (*moments)(const BatchNormMoments&);
  void (*apply)(const BatchNormNormalize&);
  void (*backward_sums)(const BatchNormSums&);
  void (*backward_data)(const BatchNormGradient&);
  void (*join_means)(const BatchNormJoin&);
  void (*join_squares)(const BatchNormJoin&);
};

// Elements of a sum of normalised sources, all arrays at its first one: dst[i] = shift[i % width] + sum over k of
// scales[k][i % width] * srcs[k][begin + i] in double, rounded once. At most kNormalizedSumBlock of them.
constexpr int64_t kNormalizedSumBlock = 1024;
struct NormalizedSumBlock {
  const float* const* srcs;  // at the tensors' start
  const double* scales;      // rows of `width`
  const double* shift;
  int64_t sources, width;  // width: a multiple of 16
  float* dst;
  int64_t begin, count;
};

// Of a chunk of [count / width, width], the last row maybe short: products[k][j] = sum of diff_dst * (srcs[k] -
// means[k][j]), sums[j] = sum of diff_dst over the column j.
struct NormalizedSumProducts {
  const float* const* srcs;  // at the tensors' start, as is diff_dst
  const float* diff_dst;
  const float* means;  // rows of `width`
  int64_t sources, width;
  int64_t begin, count;
  float* products;  // rows of `width`
  float* sums;
};

struct NormalizedSumTable {
  void (*sum)(const NormalizedSumBlock&);
  void (*products)(const NormalizedSumProducts&);
};

constexpr int kPoolBlockPixels = 4;
constexpr int kMostPoolWindows = 16;  // that cover one position along a side

// Rows of pooling: [y, end) of dst forward, row y of diff_src backward. The pointers beside it are at their image's
// start. written: aligned vectors that go past the caches meanwhile. add: a further term of diff_src, or nullptr. It
// may be diff_src itself, if whole blocks of pixels and whole vectors of channels fill a row: else some places are
// computed twice.
struct PoolRow {
  int64_t height, width, out_height, out_width, channels, kernel, stride, pad;
  int64_t y, end;
};

struct MaxPoolTable {
  void (*rows)(const PoolRow&, const float* src, float* dst, uint8_t* workspace, const StreamRange& written);
  void (*backward_row)(const PoolRow&, const float* diff_dst, const uint8_t* workspace, const float* add,
                       float* diff_src);
};

struct AveragePoolTable {
  void (*rows)(const PoolRow&, const float* src, float* dst, const StreamRange& written);
  void (*backward_row)(const PoolRow&, const float* diff_dst, const float* add, float* diff_src);
  void (*mean)(const float* src, int64_t pixels, int64_t channels, float* dst);
  void (*spread)(const float* diff_dst, int64_t pixels, int64_t channels, float* diff_src);
};

struct CopyRowsRange {
  const float* src;
  int64_t src_stride;
  float* dst;
  int64_t dst_stride, rows, width;
  bool relu;  // of what is copied
};

struct LayoutTable {
  void (*copy_rows)(const CopyRowsRange&);
  void (*add_rows)(const CopyRowsRange&);  // dst += src, without relu
};

// Elements [begin, end) of the whole arrays src and dst; begin is a multiple of 8. Those whose 16 bits drawn are not
// below `least` are kept, times scale.
struct DropoutRange {
  const float* src;
  float* dst;
  int64_t begin, end;
  uint32_t least;
  float scale;
  uint64_t key;
  uint32_t op_id, step;
};

struct DropoutTable {
  void (*dropout)(const DropoutRange&);
};

}  // namespace pdarts::kernels

// Declares the three instances of a table; PD_KERNEL_TABLE(name) is the one of the active set.
#define PD_DECLARE_TABLE(Type, name)  \
  namespace pdarts::kernels::scalar { \
  extern const Type name;             \
  }                                   \
  namespace pdarts::kernels::avx2 {   \
  extern const Type name;             \
  }                                   \
  namespace pdarts::kernels::avx512 { \
  extern const Type name;             \
  }
#define PD_KERNEL_TABLE(name)                                                                          \
  (::pdarts::kernels::ActiveIsa() == ::pdarts::kernels::Isa::kAvx512 ? ::pdarts::kernels::avx512::name \
   : ::pdarts::kernels::ActiveIsa() == ::pdarts::kernels::Isa::kAvx2 ? ::pdarts::kernels::avx2::name   \
                                                                     : ::pdarts::kernels::scalar::name)

PD_DECLARE_TABLE(DepthwiseTable, kDepthwise)
PD_DECLARE_TABLE(Depthwise3x3Table, kDepthwise3x3)
PD_DECLARE_TABLE(DepthwiseWindowTable, kDepthwiseWindow)
PD_DECLARE_TABLE(Depthwise3x3Stride2Table, kDepthwise3x3Stride2)
PD_DECLARE_TABLE(Depthwise3x3WeightsTable, kDepthwise3x3Weights)
PD_DECLARE_TABLE(PointwiseTable, kPointwise)
PD_DECLARE_TABLE(PartialSumsTable, kPartialSums)
PD_DECLARE_TABLE(NarrowTable, kNarrow)
PD_DECLARE_TABLE(ElementwiseTable, kElementwise)
PD_DECLARE_TABLE(BatchNormTable, kBatchNorm)
PD_DECLARE_TABLE(NormalizedSumTable, kNormalizedSum)
PD_DECLARE_TABLE(MaxPoolTable, kMaxPool)
PD_DECLARE_TABLE(AveragePoolTable, kAveragePool)
PD_DECLARE_TABLE(LayoutTable, kLayout)
PD_DECLARE_TABLE(DropoutTable, kDropout)
