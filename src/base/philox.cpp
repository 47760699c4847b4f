#include "base/philox.h"

#include <cmath>
#include <numbers>

namespace pdarts::base {

uint64_t PhiloxKey(uint64_t seed, RandomStream stream) {
  const PhiloxBlock mixed = Philox({static_cast<uint32_t>(stream), 0, 0, 0}, seed);
  return uint64_t{mixed[0]} | uint64_t{mixed[1]} << 32;
}

RandomSequence::RandomSequence(uint64_t seed, RandomStream stream, uint32_t a, uint32_t b, uint32_t c)
    : key_(PhiloxKey(seed, stream)), counter_{0, a, b, c} {}

uint32_t RandomSequence::Bits() {
  if (used_ == 4) {
    block_ = Philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

uint32_t RandomSequence::Below(uint32_t n) {
  // Lemire's multiply-and-reject: unbiased for every n.
  uint64_t product = uint64_t{Bits()} * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t least = -n % n;
    while (static_cast<uint32_t>(product) < least) product = uint64_t{Bits()} * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

double RandomSequence::Uniform() {
  const uint64_t high = Bits() >> 5, low = Bits() >> 6;
  return static_cast<double>(high << 26 | low) * 0x1p-53;
}

double RandomSequence::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

}  // namespace pdarts::base
