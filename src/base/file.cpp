#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace pdarts::base {
namespace {

Error SystemError(const std::string& action, const std::filesystem::path& path, int error) {
  const char* remedy = "check the path";
  if (error == ENOSPC || error == EDQUOT) remedy = "free some space on this disk, or choose another folder with --out";
  if (error == EACCES || error == EPERM || error == EROFS) remedy = "check the permissions, or choose another folder";
  if (error == EFBIG) remedy = "raise the limit on the size of files (ulimit -f), or choose another folder";
  if (error == EIO) remedy = "the disk reports an error";
  return DataError(fmt::format("cannot {}: {}", action, std::strerror(error)), path.string(), remedy);
}

// A file descriptor that is closed when it goes out of scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

void WriteAll(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw SystemError("write", path, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
}

void SyncFolder(const std::filesystem::path& file) {
  const std::filesystem::path parent = file.parent_path();
  const Descriptor folder{::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd >= 0) ::fsync(folder.fd);  // some file systems refuse to sync a folder; the rename itself stands
}

}  // namespace

std::string ReadFile(const std::filesystem::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) throw SystemError("read", path, errno);
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError("read", path, errno);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
  }
}

void WriteFileAtomically(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  try {
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.fd < 0) throw SystemError("write", path, errno);
    WriteAll(file.fd, content, path);
    if (::fsync(file.fd) != 0) throw SystemError("write", path, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw SystemError("write", path, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  SyncFolder(path);
}

void AppendToFile(const std::filesystem::path& path, std::string_view content) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (file.fd < 0) throw SystemError("write", path, errno);
  WriteAll(file.fd, content, path);
  if (::fsync(file.fd) != 0) throw SystemError("write", path, errno);
}

void MakeFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw SystemError("make the folder", path, error.value());
  if (!std::filesystem::is_directory(path)) throw SystemError("make the folder", path, ENOTDIR);
}

}  // namespace pdarts::base
