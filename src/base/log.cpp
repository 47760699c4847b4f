#include "base/log.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <string>

namespace pdarts::base {
namespace {

std::mutex log_mutex;
LogLevel log_level = LogLevel::kInfo;
bool status_shown = false;

bool OnTerminal() {
  static const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return terminal;
}

size_t TerminalWidth() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void EraseStatusLocked() {
  if (status_shown) std::fputs("\r\033[K", stderr);
  status_shown = false;
}

void PrintLine(std::string_view prefix, std::string_view line) {
  const std::lock_guard<std::mutex> lock(log_mutex);
  EraseStatusLocked();
  std::fputs(fmt::format("{}{}\n", prefix, line).c_str(), stderr);
}

}  // namespace

void SetLogLevel(LogLevel level) { log_level = level; }
LogLevel GetLogLevel() { return log_level; }

void LogInfo(std::string_view line) {
  if (log_level >= LogLevel::kInfo) PrintLine("", line);
}

void LogWarning(std::string_view line) {
  if (log_level > LogLevel::kQuiet) PrintLine("warning: ", line);
}

void LogDebug(std::string_view line) {
  if (log_level >= LogLevel::kDebug) PrintLine("", line);
}

void ShowStatus(std::string_view line, bool force) {
  if (log_level == LogLevel::kQuiet) return;
  if (!OnTerminal()) {
    if (force) PrintLine("", line);
    return;
  }
  const std::lock_guard<std::mutex> lock(log_mutex);
  std::fputs(fmt::format("\r\033[K{}", line.substr(0, TerminalWidth() - 1)).c_str(), stderr);
  std::fflush(stderr);
  status_shown = true;
}

void ClearStatus() {
  const std::lock_guard<std::mutex> lock(log_mutex);
  EraseStatusLocked();
}

}  // namespace pdarts::base
