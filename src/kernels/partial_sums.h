// Sums that were cut by sizes and are added up in order: the same total for any number of threads.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

// totals[i] = partial[0][i] + partial[1][i] + ... in double, for partial [parts, size]. `totals` may be partial[0].
void AddPartialSums(const float* partial, int64_t parts, int64_t size, float* totals);
// Not rounded at the end.
void AddPartialSums(const float* partial, int64_t parts, int64_t size, double* totals);

}  // namespace pdarts::kernels
