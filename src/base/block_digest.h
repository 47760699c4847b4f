// What MD5 and SHA-256 share: 64-byte blocks, and a padding of one bit, zeros and the length in bits.
#pragma once

#include <array>
#include <cstring>

#include "base/hash.h"

namespace pdarts::base {

class BlockDigest : public Digest {
 public:
  using Digest::Update;
  void Update(std::span<const std::byte> bytes) override {
    length_ += bytes.size();
    while (!bytes.empty()) {
      const size_t taken = std::min(bytes.size(), block_.size() - filled_);
      std::memcpy(block_.data() + filled_, bytes.data(), taken);
      filled_ += taken;
      bytes = bytes.subspan(taken);
      if (filled_ == block_.size()) {
        Compress(block_.data());
        filled_ = 0;
      }
    }
  }

 protected:
  virtual void Compress(const uint8_t* block) = 0;

  // Appends the padding; the length is written little-endian for MD5, big-endian for SHA-256.
  void Pad(bool little_endian) {
    const uint64_t bits = length_ * 8;
    const std::byte one{0x80}, zero{0};
    Update(std::span(&one, 1));
    while (filled_ != 56) Update(std::span(&zero, 1));
    std::array<std::byte, 8> tail;
    for (int i = 0; i < 8; ++i) tail[i] = static_cast<std::byte>(bits >> 8 * (little_endian ? i : 7 - i));
    Update(tail);
  }

 private:
  std::array<uint8_t, 64> block_{};
  size_t filled_ = 0;
  uint64_t length_ = 0;
};

}  // namespace pdarts::base
