// Bytes read one after the other: from memory, from a file, out of gzip.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace pdarts::data {

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Fills `out` as far as bytes are left and returns how many were written: less than asked for only at the end.
  virtual size_t Read(std::span<std::byte> out) = 0;
};

// Over bytes that outlive the stream.
std::unique_ptr<ByteStream> NewMemoryStream(std::span<const std::byte> bytes);

// Throws a data error where the file cannot be opened or read.
std::unique_ptr<ByteStream> NewFileStream(const std::filesystem::path& path);

// Decompresses gzip (one or several members; their CRC-32 are checked) from `source`; `where` names it in errors.
// Throws a data error for damaged or truncated data.
std::unique_ptr<ByteStream> NewGzipStream(std::unique_ptr<ByteStream> source, std::string where);

}  // namespace pdarts::data
