// Known answers: kat_vectors of Random123, the reference implementation of the Philox paper.
#include "base/philox.h"

#include <catch2/catch_test_macros.hpp>

namespace pdarts::base {
namespace {

TEST_CASE("Philox4x32-10 matches the published vectors", "[base]") {
  CHECK(Philox({0, 0, 0, 0}, 0) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Below is within its bound and hits every value", "[base]") {
  RandomSequence sequence(1, RandomStream::kTest);
  int seen[7] = {};
  for (int i = 0; i < 7000; ++i) {
    const uint32_t drawn = sequence.Below(7);
    REQUIRE(drawn < 7);
    ++seen[drawn];
  }
  for (int count : seen) CHECK((count > 850 && count < 1150));
}

}  // namespace
}  // namespace pdarts::base
