#include "kernels/isa.h"

#include <catch2/catch_test_macros.hpp>

#include "base/error.h"

namespace pdarts::kernels {
namespace {

TEST_CASE("an instruction set can be forced by name where the CPU has it", "[kernels]") {
  SetIsa("scalar");
  CHECK(ActiveIsa() == Isa::kScalar);
  SetIsa("auto");
  CHECK(ActiveIsa() == DetectIsa());
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > DetectIsa()) {
      CHECK_THROWS_AS(SetIsa(IsaName(isa)), base::Error);
    } else {
      SetIsa(IsaName(isa));
      CHECK(ActiveIsa() == isa);
    }
  }
  SetIsa("auto");
}

TEST_CASE("an unknown instruction set is a usage error that names the choices", "[kernels]") {
  try {
    SetIsa("sse9");
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK(error.message().find("sse9") != std::string::npos);
    CHECK(std::string(error.what()).find("avx512") != std::string::npos);
  }
  CHECK(ActiveIsa() == DetectIsa());
}

}  // namespace
}  // namespace pdarts::kernels
