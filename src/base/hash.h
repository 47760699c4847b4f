// Content hashes: FNV-1a for table keys, SHA-256 for what is stored, MD5 only to compare with published sums of
// archives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pdarts::base {

inline uint64_t Fnv1a(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325) {
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

// A running digest: Update as often as needed, then Hex once (lower case).
class Digest {
 public:
  virtual ~Digest() = default;
  virtual void Update(std::span<const std::byte> bytes) = 0;
  virtual std::string Hex() = 0;

  void Update(std::string_view text) { Update(std::as_bytes(std::span(text.data(), text.size()))); }
};

std::unique_ptr<Digest> NewSha256();
std::unique_ptr<Digest> NewMd5();
std::string Sha256Hex(std::string_view bytes);

}  // namespace pdarts::base
