// Means and their intervals over few runs.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace pdarts::experiment {

// Student's t: the x with P(T <= x) = p, 0 < p < 1, degrees >= 1.
double StudentQuantile(double p, double degrees);

// Over independent values. sd is the sample's (n - 1); absent with one value, and so is the 95% interval of the mean.
struct Summary {
  int n = 0;
  double mean = 0, min = 0, max = 0;
  std::optional<double> sd, low, high;
};
Summary Summarize(std::span<const double> values);  // at least one value

// Searches that each led to some trainings: values[i][j] is training j of the cell of search i. Which part of the
// spread comes from the search, and which from training alone (one-way analysis of variance, unequal group sizes
// allowed). A part is absent where too few runs can tell it: training needs a cell trained twice, search two searches
// and the training part; an estimate below 0 is 0.
struct SpreadParts {
  std::optional<double> search_sd, training_sd;
};
SpreadParts SplitSpread(const std::vector<std::vector<double>>& values);

// The 95% interval of mean(b) - mean(a) with unequal variances (Welch). Both need two values.
struct Interval {
  double low = 0, high = 0;
};
Interval WelchInterval(const Summary& a, const Summary& b);

}  // namespace pdarts::experiment
