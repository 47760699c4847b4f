// Depthwise passes of whole batches by a sliding window (simd/depthwise_window.inc): forward 5x5 of stride 1, dilation
// 1 and 2, 3x3 of stride 1 in part, both of stride 2 where they come from far; the data's gradient of stride 1, which
// is a forward with its weights turned round. Internal to src/kernels, which call them through depthwise.h.
#pragma once

#include "kernels/depthwise.h"

namespace pdarts::kernels {

// Whether src and dst together come from beyond the second caches.
bool IsFar(const DepthwiseParams& params);
// The same where little is done for what is read, as by a 3x3 of stride 2: no vectors of channels that overlap take
// their time from that.
bool IsFarOfStride2(const DepthwiseParams& params);

bool IsWindow(const DepthwiseParams& params);
bool IsWindowBackward(const DepthwiseParams& params);

// Floats of scratch for either.
int64_t WindowScratch(const DepthwiseParams& params);

void WindowForward(const DepthwiseParams& params, const DepthwiseForwardArgs& args);
void WindowBackwardData(const DepthwiseParams& params, const DepthwiseBackwardDataArgs& args);

}  // namespace pdarts::kernels
