// What may be said about a value. The strictness is the point: one run never reproduces a statistical value, and only
// the level that follows the paper's recipe is held against the paper.
#pragma once

#include <optional>
#include <string>

#include "experiment/spec.h"
#include "experiment/statistics.h"

namespace pdarts::experiment {

enum class Verdict {
  kReproduced,     // the paper's value: exact, or the whole 95% interval inside the column's band
  kBetter,         // the interval lies on the good side of the paper's value and reaches out of the band
  kWorse,          // on the bad side
  kDiffers,        // not the exact value, or out of the band around the stored one
  kAsStored,       // inside the band around the stored value of the same level; says nothing about the paper
  kInconclusive,   // too few runs, too wide an interval, or nothing stored to compare with
  kNotComparable,  // measured, but under other conditions; the deviations say which
  kQuoted,         // the paper's value, not measured here
  kNotRun,         // this level does not measure it
};
const char* Name(Verdict verdict);

// How a verdict counts for the exit code.
enum class Standing { kInBand, kOutOfBand, kUndecided, kNeutral };
Standing StandingOf(Verdict verdict);

// Parameters against the exact count and, rounded to the paper's digits, against its value in millions. An entry whose
// `reason` says that the two cannot agree is not comparable where the count is right.
Verdict JudgeExact(const EntrySpec& entry, const ColumnSpec& column, int64_t parameters);

// Runs of the paper's recipe against its value; lower is better.
Verdict JudgeAgainstPaper(double paper, double band, const Summary& runs);

// Against the stored value of the same level. Judged by a band, as bits may differ between machines.
Verdict JudgeAgainstStored(std::optional<double> stored, double band, double value);

// x rounded to so many digits after the point, half away from zero, as the paper's tables are.
double RoundTo(double x, int digits);

}  // namespace pdarts::experiment
