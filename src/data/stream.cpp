#include "data/stream.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace pdarts::data {
namespace {

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::span<const std::byte> bytes) : left_(bytes) {}

  size_t Read(std::span<std::byte> out) override {
    const size_t taken = std::min(out.size(), left_.size());
    std::copy_n(left_.begin(), taken, out.begin());
    left_ = left_.subspan(taken);
    return taken;
  }

 private:
  std::span<const std::byte> left_;
};

class FileStream final : public ByteStream {
 public:
  explicit FileStream(const std::filesystem::path& path) : path_(path.string()) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) Fail(errno);
  }
  FileStream(const FileStream&) = delete;
  FileStream& operator=(const FileStream&) = delete;
  ~FileStream() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  size_t Read(std::span<std::byte> out) override {
    size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t got = ::read(descriptor_, out.data() + filled, out.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) Fail(errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

 private:
  [[noreturn]] void Fail(int error) const {
    const char* remedy = error == EACCES ? "check the file's permissions" : "check the path given by --data";
    throw base::DataError(fmt::format("cannot read: {}", std::strerror(error)), path_, remedy);
  }

  std::string path_;
  int descriptor_ = -1;
};

class GzipStream final : public ByteStream {
 public:
  GzipStream(std::unique_ptr<ByteStream> source, std::string where)
      : source_(std::move(source)), where_(std::move(where)), input_(1 << 16) {
    // 15 bits of window, 16 for gzip's header and trailer, whose CRC-32 and length zlib checks itself.
    PD_CHECK(inflateInit2(&zlib_, 15 + 16) == Z_OK);
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  ~GzipStream() override { inflateEnd(&zlib_); }

  size_t Read(std::span<std::byte> out) override {
    size_t filled = 0;
    while (filled < out.size() && !ended_) {
      if (zlib_.avail_in == 0) Refill();
      if (ended_) break;
      const size_t asked = std::min<size_t>(out.size() - filled, 1 << 30);
      zlib_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      zlib_.avail_out = static_cast<uInt>(asked);
      const int status = inflate(&zlib_, Z_NO_FLUSH);
      filled += asked - zlib_.avail_out;
      if (status == Z_STREAM_END) {
        between_members_ = true;
        PD_CHECK(inflateReset(&zlib_) == Z_OK);
      } else if (status == Z_OK) {
        between_members_ = false;
      } else if (status != Z_BUF_ERROR) {
        throw base::DataError(fmt::format("the gzip data is damaged: {}", zlib_.msg ? zlib_.msg : "unknown error"),
                              where_, "get the archive again");
      }
    }
    return filled;
  }

 private:
  void Refill() {
    const size_t got = source_->Read(input_);
    zlib_.next_in = reinterpret_cast<Bytef*>(input_.data());
    zlib_.avail_in = static_cast<uInt>(got);
    if (got > 0) return;
    if (!between_members_)
      throw base::DataError("the gzip data ends early", where_, "the file is incomplete, get it again");
    ended_ = true;
  }

  std::unique_ptr<ByteStream> source_;
  std::string where_;
  std::vector<std::byte> input_;
  z_stream zlib_{};
  bool between_members_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> NewMemoryStream(std::span<const std::byte> bytes) {
  return std::make_unique<MemoryStream>(bytes);
}

std::unique_ptr<ByteStream> NewFileStream(const std::filesystem::path& path) {
  return std::make_unique<FileStream>(path);
}

std::unique_ptr<ByteStream> NewGzipStream(std::unique_ptr<ByteStream> source, std::string where) {
  return std::make_unique<GzipStream>(std::move(source), std::move(where));
}

}  // namespace pdarts::data
