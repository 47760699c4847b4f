#include "data/fetch.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "data/verify.h"

namespace pdarts::data {
namespace {

// The program's path, or empty where PATH has none.
std::string FindOnPath(const std::string& program) {
  const char* variable = std::getenv("PATH");
  std::string_view left = variable == nullptr ? "" : variable;
  while (!left.empty()) {
    const size_t end = std::min(left.find(':'), left.size());
    const std::string candidate = std::string(left.substr(0, end)) + "/" + program;
    if (end > 0 && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return "";
}

std::vector<std::string> Command(const std::string& program, const std::string& path, const std::string& url,
                                 const std::string& part, bool show_progress) {
  if (program == "curl") {
    return {path,       "--fail", "--location", "--retry", "2", show_progress ? "--progress-bar" : "--silent",
            "--output", part,     "--url",      url};
  }
  return {path, "--tries=3", show_progress ? "--no-verbose" : "--quiet", "--output-document", part, "--", url};
}

// Runs the command without a shell and returns its exit status.
int Run(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_t child;
  const int error = ::posix_spawn(&child, command[0].c_str(), nullptr, nullptr, arguments.data(), environ);
  if (error != 0)
    throw base::DataError(fmt::format("cannot start it: {}", std::strerror(error)), command[0], "check the program");
  int status;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      throw base::DataError(fmt::format("lost it: {}", std::strerror(errno)), command[0], "try again");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Download(const std::string& url, const std::filesystem::path& part, const FetchOptions& options) {
  for (const std::string& program : options.downloaders) {
    const std::string path = FindOnPath(program);
    if (path.empty()) continue;
    const int status = Run(Command(program, path, url, part.string(), options.show_progress));
    if (status == 0) return;
    throw base::DataError(fmt::format("the download failed: {} ended with {}", program, status), url,
                          "check the network, or download it elsewhere and give its path with --data");
  }
  throw base::DataError(fmt::format("no {} found", fmt::join(options.downloaders, " or ")), "PATH",
                        fmt::format("install one, or download {} elsewhere", url));
}

// Removes the file at the end unless it was moved away.
struct Remover {
  std::filesystem::path path;
  ~Remover() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

}  // namespace

std::filesystem::path FetchFile(const std::string& url, const std::string& file, const std::string& md5,
                                const FetchOptions& options) {
  const std::filesystem::path target = options.folder / file;
  if (std::filesystem::exists(target)) {
    if (FileMd5(target) == md5) return target;
    throw base::DataError("it is there already, but its MD5 is not the official one", target.string(),
                          "move it away, or fetch to another folder");
  }
  base::MakeFolder(options.folder);
  const Remover part{target.string() + fmt::format(".part{}", ::getpid())};
  Download(url + file, part.path, options);
  const std::string found = FileMd5(part.path);
  if (found != md5) {
    throw base::DataError(fmt::format("the download has MD5 {}, expected {}", found, md5), url + file,
                          "try again, or another mirror");
  }
  std::error_code error;
  std::filesystem::rename(part.path, target, error);
  if (error)
    throw base::DataError(fmt::format("cannot rename the download: {}", error.message()), target.string(),
                          "check the folder");
  return target;
}

std::filesystem::path Fetch(const std::string& name, const FetchOptions& options) {
  for (const OfficialArchive& archive : OfficialArchives()) {
    if (archive.dataset != name) continue;
    std::string url = options.base_url.empty() ? archive.url : options.base_url;
    if (!url.ends_with('/')) url += '/';
    return FetchFile(url, archive.file, archive.md5, options);
  }
  throw base::UsageError(fmt::format("no download is known for '{}'", name), "fetch", "give cifar10 or cifar100");
}

}  // namespace pdarts::data
