#include "experiment/verdict.h"

#include <array>
#include <cmath>

namespace pdarts::experiment {
namespace {

constexpr std::array kVerdictNames{"reproduced",   "better",         "worse",  "differs", "as stored",
                                   "inconclusive", "not comparable", "quoted", "not run"};

}  // namespace

const char* Name(Verdict verdict) { return kVerdictNames[static_cast<size_t>(verdict)]; }

Standing StandingOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReproduced:
    case Verdict::kAsStored:
      return Standing::kInBand;
    case Verdict::kBetter:  // out of band too: a value that is too good is as suspicious as one that is too bad
    case Verdict::kWorse:
    case Verdict::kDiffers:
      return Standing::kOutOfBand;
    case Verdict::kInconclusive:
      return Standing::kUndecided;
    case Verdict::kNotComparable:
    case Verdict::kQuoted:
    case Verdict::kNotRun:
      break;
  }
  return Standing::kNeutral;
}

double RoundTo(double x, int digits) {
  const double scale = std::pow(10.0, digits);
  // The nudge keeps decimal halves such as 2.675, which binary holds a little low, from being rounded down.
  return std::round(x * scale + std::copysign(1e-9, x)) / scale;
}

Verdict JudgeExact(const EntrySpec& entry, const ColumnSpec& column, int64_t parameters) {
  if (entry.count && parameters != *entry.count) return Verdict::kDiffers;
  if (!entry.paper || !entry.reason.empty()) return Verdict::kNotComparable;
  const double millions = RoundTo(static_cast<double>(parameters) / 1e6, column.digits);
  return std::abs(millions - *entry.paper) < 1e-9 ? Verdict::kReproduced : Verdict::kDiffers;
}

Verdict JudgeAgainstPaper(double paper, double band, const Summary& runs) {
  if (!runs.low || !runs.high) return Verdict::kInconclusive;
  if (*runs.low >= paper - band && *runs.high <= paper + band) return Verdict::kReproduced;
  if (*runs.high < paper) return Verdict::kBetter;
  if (*runs.low > paper) return Verdict::kWorse;
  return Verdict::kInconclusive;
}

Verdict JudgeAgainstStored(std::optional<double> stored, double band, double value) {
  if (!stored) return Verdict::kInconclusive;
  return std::abs(value - *stored) <= band + 1e-12 ? Verdict::kAsStored : Verdict::kDiffers;
}

}  // namespace pdarts::experiment
