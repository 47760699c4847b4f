#include "support/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/file.h"

namespace pdarts::test {
namespace {

namespace fs = std::filesystem;

void RedirectTo(int fd, const std::string& file) {
  const int target = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (target < 0 || ::dup2(target, fd) < 0) ::_exit(127);
  ::close(target);
}

}  // namespace

Process::Process(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const std::string out = scratch_.path() / "out", err = scratch_.path() / "err";
  pid_ = ::fork();
  if (pid_ == 0) {
    RedirectTo(STDOUT_FILENO, out);
    RedirectTo(STDERR_FILENO, err);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  REQUIRE(pid_ > 0);
}

Process::~Process() {
  if (!Running()) return;
  Signal(SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

bool Process::Running() {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

void Process::Signal(int signal) {
  if (Running()) ::kill(pid_, signal);
}

std::string Process::ErrorsSoFar() const {
  return fs::exists(scratch_.path() / "err") ? base::ReadFile(scratch_.path() / "err") : "";
}

ProcessResult Process::Wait() {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, 0) == pid_;
  ProcessResult result;
  result.by_signal = WIFSIGNALED(status_);
  result.code = result.by_signal ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  result.err = ErrorsSoFar();
  if (fs::exists(scratch_.path() / "out")) result.out = base::ReadFile(scratch_.path() / "out");
  return result;
}

std::string Binary() {
  const char* binary = std::getenv("PDARTS_BINARY");
  if (binary == nullptr) SKIP("PDARTS_BINARY does not name the program: run these tests with ctest");
  return binary;
}

std::vector<std::string> Pdarts(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{Binary()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

ProcessResult Run(const std::vector<std::string>& command) { return Process(command).Wait(); }

std::map<std::string, std::string> Snapshot(const fs::path& folder) {
  std::map<std::string, std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    files[entry.path().string()] = entry.is_regular_file() ? base::ReadFile(entry.path()) : "(no file)";
  files[folder.string()] = "exists";
  return files;
}

void CheckOneLine(const ProcessResult& result, int code, const std::vector<std::string>& words) {
  INFO("stderr: " << result.err);
  CHECK(result.code == code);
  CHECK_FALSE(result.by_signal);
  CHECK(result.out.empty());
  CHECK(result.err.starts_with("pdarts: "));
  CHECK(std::ranges::count(result.err, '\n') == 1);
  for (const std::string& word : words) CHECK_THAT(result.err, Catch::Matchers::ContainsSubstring(word));
}

void CheckRefused(const std::vector<std::string>& arguments, int code, const std::vector<std::string>& words,
                  const fs::path& untouched) {
  std::string shown;
  for (const std::string& argument : arguments) shown += " " + argument;
  INFO("pdarts" << shown);
  const auto before = untouched.empty() ? std::map<std::string, std::string>() : Snapshot(untouched);
  CheckOneLine(Run(Pdarts(arguments)), code, words);
  if (!untouched.empty()) CHECK((Snapshot(untouched) == before));
}

std::vector<std::string> TinySearch(const fs::path& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"search", "--out",   out.string(), "--train-limit", "24", "--epochs",
                                     "3",      "--batch", "6",          "--channels",    "4",  "--cells",
                                     "1,2,2",  "--seed",  "5",          "--threads",     "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Pdarts(arguments);
}

bool WaitForCheckpoint(Process& process, const fs::path& folder) {
  for (int i = 0; i < 12000 && process.Running(); ++i) {
    if (fs::exists(folder / "checkpoint.safetensors")) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace pdarts::test
