// Moving data: channels last [N,H,W,C] dense fp32 unless said otherwise, `rows` being N * H * W. Pure copies, no
// arithmetic but for that of subsample's backward.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

void Copy(const float* src, float* dst, int64_t count);
void Fill(float* dst, float value, int64_t count);

// Copies `rows` runs of `width` floats; the runs lie src_stride and dst_stride floats apart. The two sides may not
// overlap. Concat and slice of channels and their backwards are this: piece i of a concat is {src_i, c_i, dst +
// offset_i, c, rows, c_i}.
struct CopyRowsArgs {
  const float* src;
  int64_t src_stride;
  float* dst;
  int64_t dst_stride, rows, width;
};
void CopyRows(const CopyRowsArgs& args);

// dst [rows, sum of channels] = the sources [rows, channels[i]] side by side. Its backward is one SliceChannels per
// source.
struct ConcatArgs {
  const float* const* srcs;
  const int64_t* channels;
  int64_t sources, rows;
  float* dst;
};
void ConcatChannels(const ConcatArgs& args);

// dst [rows, channels] = src [rows, src_channels] from channel `offset` on.
struct SliceArgs {
  const float* src;
  int64_t src_channels, offset, channels, rows;
  float* dst;
};
void SliceChannels(const SliceArgs& args);

// src[:, offset::2, offset::2, :] with offset 0 or 1: dst [N, (H + 1 - offset) / 2, (W + 1 - offset) / 2, C]. The
// backward scatters and writes zeros elsewhere, or adds to `add`: nullptr, or shaped like diff_src and maybe the same.
struct SubsampleParams {
  int64_t n, h, w, c;
  int64_t offset;

  int64_t OutH() const { return (h + 1 - offset) / 2; }
  int64_t OutW() const { return (w + 1 - offset) / 2; }
};
void Subsample(const SubsampleParams& params, const float* src, float* dst);
void SubsampleBackward(const SubsampleParams& params, const float* diff_dst, const float* add, float* diff_src);

// [N,C,pixels] <-> [N,pixels,C].
void NchwToNhwc(const float* src, int64_t n, int64_t channels, int64_t pixels, float* dst);
void NhwcToNchw(const float* src, int64_t n, int64_t channels, int64_t pixels, float* dst);

}  // namespace pdarts::kernels
