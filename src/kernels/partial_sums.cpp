#include "kernels/partial_sums.h"

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

void Add(const float* partial, int64_t parts, int64_t size, float* totals, double* wide) {
  PD_CHECK(parts >= 1, "no partial sums");
  const PartialSumsTable& table = PD_KERNEL_TABLE(kPartialSums);
  base::ParallelFor(size, 1 + 8192 / parts, [&](int64_t begin, int64_t end) {
    table.add({partial, parts, size, begin, end, totals, wide});
  });
}

}  // namespace

void AddPartialSums(const float* partial, int64_t parts, int64_t size, float* totals) {
  if (parts > 1 || totals != partial) Add(partial, parts, size, totals, nullptr);
}

void AddPartialSums(const float* partial, int64_t parts, int64_t size, double* totals) {
  Add(partial, parts, size, nullptr, totals);
}

}  // namespace pdarts::kernels
