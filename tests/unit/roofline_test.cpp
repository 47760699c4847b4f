#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "kernels/isa.h"
#include "kernels/simd/roofline_table.h"

namespace pdarts::kernels {
namespace {

TEST_CASE("the peak's loop does the multiply-adds it counts", "[kernels]") {
  const int64_t widths[] = {4, 8, 16};
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > DetectIsa()) continue;
    SetIsa(IsaName(isa));
    INFO(IsaName(isa));
    const int64_t width = widths[static_cast<int>(isa)];
    alignas(64) float dst[16] = {0.5f, 1.0f};
    CHECK(PD_KERNEL_TABLE(kRoofline).multiply_adds(60, dst) == 60 * 12 * width);
    // x = x / 2 + 1 goes to 2; twelve chains.
    for (int64_t lane = 0; lane < width; ++lane) CHECK(dst[lane] == 24.0f);
  }
  SetIsa("auto");
}

TEST_CASE("the sum that measures reading reads everything", "[kernels]") {
  const std::vector<float> ones(8 * 16 * 10, 1.0f);
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > DetectIsa()) continue;
    SetIsa(IsaName(isa));
    CHECK(PD_KERNEL_TABLE(kRoofline).sum(ones.data(), static_cast<int64_t>(ones.size())) == 1280.0f);
  }
  SetIsa("auto");
}

}  // namespace
}  // namespace pdarts::kernels
