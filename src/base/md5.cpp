// MD5 (RFC 1321), only to compare an archive with its published sum.
#include <bit>
#include <cmath>

#include "base/block_digest.h"

namespace pdarts::base {
namespace {

constexpr std::array<int, 16> kShift = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

// floor(2^32 |sin(i + 1)|), as the RFC defines its table.
std::array<uint32_t, 64> SineTable() {
  std::array<uint32_t, 64> table;
  for (int i = 0; i < 64; ++i)
    table[i] = static_cast<uint32_t>(std::floor(std::fabs(std::sin(i + 1.0)) * 4294967296.0));
  return table;
}

class Md5 final : public BlockDigest {
 public:
  std::string Hex() override {
    Pad(/*little_endian=*/true);
    std::string hex;
    for (uint32_t word : state_)
      for (int byte = 0; byte < 4; ++byte)
        for (int shift : {4, 0}) hex += "0123456789abcdef"[word >> (8 * byte + shift) & 15];
    return hex;
  }

 private:
  void Compress(const uint8_t* block) override {
    static const std::array<uint32_t, 64> kSine = SineTable();
    std::array<uint32_t, 16> m;
    for (int i = 0; i < 16; ++i)
      m[i] = uint32_t{block[4 * i]} | uint32_t{block[4 * i + 1]} << 8 | uint32_t{block[4 * i + 2]} << 16 |
             uint32_t{block[4 * i + 3]} << 24;
    auto [a, b, c, d] = state_;
    for (int i = 0; i < 64; ++i) {
      uint32_t f;
      int g;
      if (i < 16) {
        f = (b & c) | (~b & d), g = i;
      } else if (i < 32) {
        f = (d & b) | (~d & c), g = (5 * i + 1) % 16;
      } else if (i < 48) {
        f = b ^ c ^ d, g = (3 * i + 5) % 16;
      } else {
        f = c ^ (b | ~d), g = 7 * i % 16;
      }
      f += a + kSine[i] + m[g];
      a = d, d = c, c = b;
      b += std::rotl(f, kShift[i / 16 * 4 + i % 4]);
    }
    const std::array<uint32_t, 4> added = {a, b, c, d};
    for (int i = 0; i < 4; ++i) state_[i] += added[i];
  }

  std::array<uint32_t, 4> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
};

}  // namespace

std::unique_ptr<Digest> NewMd5() { return std::make_unique<Md5>(); }

}  // namespace pdarts::base
