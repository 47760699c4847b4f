// What a run says while it runs, and how it is told to stop. The library prints nothing: the caller shows lines as it
// likes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pdarts::train {

// Where a run stands after a step.
struct StepStatus {
  int stage = 0, stages = 0;    // from 1; stages 0: a run without stages (training)
  int epoch = 0, epochs = 0;    // from 1
  int64_t step = 0, steps = 0;  // of this epoch, from 1
  const char* phase = "";       // "weights", "weights+alphas", "validation", "test"
  double loss = 0;              // mean over this epoch so far
  double accuracy = 0;          // top-1, 0 to 1, over this epoch so far
  double images_per_second = 0;
  int64_t resident_bytes = 0;  // of this process
  double seconds_left = -1;    // of the whole run; below 0: not known yet
};

// "stage 1/3  epoch 3/25  weights 120/261  loss 1.5320  acc 44.1%  ETA 2h05m  310 images/s  1.2 GB"
std::string FormatStatus(const StepStatus& status);

// "48s", "12m30s", "2h05m", "3d04h".
std::string FormatDuration(double seconds);

// Implemented by who starts a run. Called from the thread that runs it.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Step(const StepStatus& status) = 0;                              // after every step: be quick
  virtual void EpochDone(const StepStatus& status, std::string_view line) = 0;  // `line` sums the epoch up for people
  virtual void Note(std::string_view line) = 0;  // what else is worth a line: stages, resumption
  // The signal (SIGINT or SIGTERM) that asks the run to save and stop; asked after every step.
  virtual std::optional<int> StopSignal() { return std::nullopt; }
};

// What ends a run that a signal stopped, once its state is saved: exit code kInterrupted or kTerminated.
base::Error StoppedBy(int signal, const std::string& folder);

// Says nothing and never stops.
class SilentProgress : public Progress {
 public:
  void Step(const StepStatus&) override {}
  void EpochDone(const StepStatus&, std::string_view) override {}
  void Note(std::string_view) override {}
};

// Estimates the time left from work done: the work of a run is a sum of parts of known relative cost, such as weight
// steps of a stage.
class TimeEstimate {
 public:
  // total: work of the whole run; done: what was done before this process (a resumed run).
  TimeEstimate(double total, double done) : total_(total), start_(done), done_(done) {}
  // The first work begins: reading data and planning, which come once, are not to count as a part of it.
  void Start() {
    if (!clock_) clock_ = Clock::now();
  }
  void Reach(double done) { done_ = done; }
  double SecondsLeft() const;  // below 0: not known yet

 private:
  using Clock = std::chrono::steady_clock;
  double total_, start_, done_;
  std::optional<Clock::time_point> clock_;
};

// Of this process, from /proc/self; 0 where that cannot be read.
int64_t ResidentBytes();      // now
int64_t PeakResidentBytes();  // the most so far

}  // namespace pdarts::train
