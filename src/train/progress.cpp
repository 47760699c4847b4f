#include "train/progress.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace pdarts::train {

std::string FormatDuration(double seconds) {
  const auto s = static_cast<int64_t>(std::max(0.0, seconds) + 0.5);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s % 3600 / 60);
  return fmt::format("{}d{:02}h", s / 86400, s % 86400 / 3600);
}

std::string FormatStatus(const StepStatus& status) {
  std::string line;
  if (status.stages > 0) line += fmt::format("stage {}/{}  ", status.stage, status.stages);
  line += fmt::format("epoch {}/{}  {} {}/{}  loss {:.4f}  acc {:.1f}%", status.epoch, status.epochs, status.phase,
                      status.step, status.steps, status.loss, 100 * status.accuracy);
  // Before what a terminal of 80 columns cuts off.
  if (status.seconds_left >= 0) line += fmt::format("  ETA {}", FormatDuration(status.seconds_left));
  if (status.images_per_second > 0) line += fmt::format("  {:.0f} images/s", status.images_per_second);
  if (status.resident_bytes > 0) line += fmt::format("  {:.1f} GB", 1e-9 * static_cast<double>(status.resident_bytes));
  return line;
}

base::Error StoppedBy(int signal, const std::string& folder) {
  return base::Error(static_cast<base::ExitCode>(128 + signal), "stopped by a signal", folder,
                     "the state is saved: go on with --resume");
}

double TimeEstimate::SecondsLeft() const {
  if (!clock_) return -1;
  const double elapsed = std::chrono::duration<double>(Clock::now() - *clock_).count();
  const double worked = done_ - start_;
  if (worked <= 0 || elapsed <= 0) return -1;
  return std::max(0.0, total_ - done_) * elapsed / worked;
}

int64_t ResidentBytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"), std::fclose);
  long long size = 0, resident = 0;
  if (!file || std::fscanf(file.get(), "%lld %lld", &size, &resident) != 2) return 0;
  return resident * ::sysconf(_SC_PAGESIZE);
}

int64_t PeakResidentBytes() {
  rusage usage{};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? int64_t{usage.ru_maxrss} * 1024 : 0;
}

}  // namespace pdarts::train
