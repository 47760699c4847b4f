// Two results of the same table side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiment/reproduce.h"

namespace pdarts::experiment {

enum class Agreement {
  kEqual,      // the same value: always so for one seed, one version, one signature
  kNoSign,     // the 95% interval of the difference holds 0
  kDifferent,  // it does not; or two exact values differ
  kUndecided,  // different values, but too few runs to tell
  kOneSided,   // only one of the two has the value
};
const char* Name(Agreement agreement);

struct ComparedEntry {
  std::string line, title, column;
  std::optional<double> a, b;
  std::optional<double> difference;  // b - a
  std::optional<Interval> interval;  // 95%, of the difference of the means (Welch)
  Agreement agreement = Agreement::kOneSided;
};

struct Comparison {
  std::vector<ComparedEntry> entries;             // only where at least one side measured
  std::vector<std::string> differences_of_setup;  // "level: smoke, short"
  base::ExitCode exit_code() const;  // a difference: out of band; else undecided or one-sided: inconclusive
};

// A usage error where the two are of different tables.
Comparison Compare(const TableResult& a, const TableResult& b);

std::string RenderText(const Comparison& comparison, const TableSpec& table, bool colours);
std::string RenderJson(const Comparison& comparison);

}  // namespace pdarts::experiment
