#include "data/tar.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"

namespace pdarts::data {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kLargestFile = uint64_t{1} << 31;  // of one that is kept in memory
constexpr uint64_t kLongestName = 4096;

using Header = std::array<std::byte, kBlock>;

std::string_view Field(const Header& header, size_t offset, size_t size) {
  const std::string_view field(reinterpret_cast<const char*>(header.data()) + offset, size);
  return field.substr(0, field.find('\0'));
}

// Octal digits with spaces around them, or GNU's big-endian binary when the first bit is set.
bool ParseNumber(const Header& header, size_t offset, size_t size, uint64_t* number) {
  *number = 0;
  if ((header[offset] & std::byte{0x80}) != std::byte{0}) {
    for (size_t i = 1; i < size; ++i) {
      if (*number >> 55 != 0) return false;
      *number = *number << 8 | static_cast<uint64_t>(header[offset + i]);
    }
    return true;
  }
  bool ended = false;
  for (const char c : Field(header, offset, size)) {
    if (c == ' ') {
      ended = *number != 0;
    } else if (c < '0' || c > '7' || ended) {
      return false;
    } else {
      *number = *number << 3 | static_cast<uint64_t>(c - '0');
    }
  }
  return true;
}

bool ChecksumHolds(const Header& header) {
  uint64_t stored, sum = 0;
  if (!ParseNumber(header, 148, 8, &stored)) return false;
  for (size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<uint64_t>(header[i]);
  return sum == stored;
}

std::string PathOf(const Header& header) {
  const std::string name(Field(header, 0, 100)), prefix(Field(header, 345, 155));
  const bool ustar = Field(header, 257, 5) == "ustar" && header[262] == std::byte{0};  // GNU's own format has no prefix
  return ustar && !prefix.empty() ? prefix + "/" + name : name;
}

class Walk {
 public:
  Walk(ByteStream& stream, const std::string& where) : stream_(stream), where_(where), chunk_(1 << 16) {}

  // False at the end of the archive: two blocks of zeros, or the end of the stream after a whole file.
  bool NextHeader(Header* header) {
    for (int zero_blocks = 0; zero_blocks < 2; ++zero_blocks) {
      const size_t got = stream_.Read(*header);
      if (got == 0 && seen_any_) return false;
      if (got < kBlock) Fail(seen_any_ ? "the tar archive ends early" : "this is no tar archive");
      if (std::all_of(header->begin(), header->end(), [](std::byte b) { return b == std::byte{0}; })) continue;
      if (!ChecksumHolds(*header))
        Fail(seen_any_ ? "a header of the tar archive is damaged" : "this is no tar archive");
      seen_any_ = true;
      return true;
    }
    return false;
  }

  uint64_t SizeOf(const Header& header) const {
    uint64_t size;
    if (!ParseNumber(header, 124, 12, &size) || size >> 50 != 0) Fail("a header of the tar archive is damaged");
    return size;
  }

  // Reads a file's bytes and the padding after them; keeps them where `content` is given. Grows with what is really
  // there, so that a wrong size cannot claim memory.
  void ReadContent(uint64_t size, std::string* content) {
    if (content != nullptr) content->reserve(std::min<uint64_t>(size, 1 << 22));
    const uint64_t padded = (size + kBlock - 1) / kBlock * kBlock;
    for (uint64_t done = 0; done < padded;) {
      const size_t asked = static_cast<size_t>(std::min<uint64_t>(chunk_.size(), padded - done));
      if (stream_.Read(std::span(chunk_).first(asked)) < asked) Fail("the tar archive ends early");
      if (content != nullptr && done < size) {
        content->append(reinterpret_cast<const char*>(chunk_.data()), std::min<uint64_t>(asked, size - done));
      }
      done += asked;
    }
  }

  // Reads what follows the archive's end: only then has gzip compared its checksum.
  void Drain() {
    while (stream_.Read(chunk_) > 0) {
    }
  }

  [[noreturn]] void Fail(const char* what) const {
    throw base::DataError(what, where_,
                          seen_any_ ? "get the archive again" : "give a .tar.gz archive or an unpacked folder");
  }

 private:
  ByteStream& stream_;
  const std::string& where_;
  std::vector<std::byte> chunk_;
  bool seen_any_ = false;
};

}  // namespace

void ReadTar(ByteStream& stream, const std::string& where, const std::function<bool(std::string_view)>& wanted,
             const std::function<void(std::string, std::string)>& take) {
  Walk walk(stream, where);
  Header header;
  std::string long_name;
  while (walk.NextHeader(&header)) {
    const uint64_t size = walk.SizeOf(header);
    const char type = static_cast<char>(header[156]);
    if (type == 'L') {  // GNU: the next entry's path, longer than its field
      if (size > kLongestName) walk.Fail("a header of the tar archive is damaged");
      long_name.clear();
      walk.ReadContent(size, &long_name);
      long_name.resize(std::min(long_name.find('\0'), long_name.size()));
      continue;
    }
    std::string path = long_name.empty() ? PathOf(header) : std::move(long_name);
    long_name.clear();
    const bool regular = type == '0' || type == '\0' || type == '7';
    if (regular && wanted(path)) {
      if (size > kLargestFile) walk.Fail("a file in the tar archive is too large");
      std::string content;
      walk.ReadContent(size, &content);
      take(std::move(path), std::move(content));
    } else {
      walk.ReadContent(size, nullptr);
    }
  }
  walk.Drain();
}

}  // namespace pdarts::data
