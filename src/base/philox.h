// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
// A draw is a pure function of a key and a counter, so nothing has to be saved and order does not matter.
#pragma once

#include <array>
#include <cstdint>

namespace pdarts::base {

using PhiloxBlock = std::array<uint32_t, 4>;

// What a stream of draws is for. The numbers are stored in nothing but enter every draw: never renumber.
enum class RandomStream : uint32_t {
  kInit = 1,
  kShuffle = 2,
  kAugment = 3,
  kDropout = 4,
  kDropPath = 5,
  kSynthetic = 6,
  kSwitches = 7,
  kTest = 8,
};

inline PhiloxBlock Philox(PhiloxBlock counter, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0], p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

// A sequence of draws for one purpose: key (seed, stream), counter (a, b, c, running index). Cheap to make; copy
// freely.
class RandomSequence {
 public:
  RandomSequence(uint64_t seed, RandomStream stream, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0);

  uint32_t Bits();             // 32 uniform bits
  uint32_t Below(uint32_t n);  // uniform in [0, n), n >= 1, without bias
  double Uniform();            // uniform in [0, 1), 53 bits
  double Normal();             // standard normal (Box-Muller)

 private:
  uint64_t key_;
  PhiloxBlock counter_, block_{};
  int used_ = 4;
};

// The key of (seed, stream): the seed mixed with the stream, so that streams of one seed are independent.
uint64_t PhiloxKey(uint64_t seed, RandomStream stream);

}  // namespace pdarts::base
