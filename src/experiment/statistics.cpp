#include "experiment/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace pdarts::experiment {
namespace {

// The continued fraction of the incomplete beta function (Lentz's method; Abramowitz and Stegun 26.5.8).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m <= 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const double step = d * c;
    h *= step;
    if (std::abs(step - 1) < 1e-15) break;
  }
  return h;
}

// I_x(a, b).
double IncompleteBeta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

// P(T > t), t >= 0.
double StudentTail(double t, double degrees) {
  return IncompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double SumOfSquares(std::span<const double> values, double mean) {
  double sum = 0;
  for (double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

}  // namespace

double StudentQuantile(double p, double degrees) {
  PD_CHECK(p > 0 && p < 1 && degrees > 0, "p {}, degrees {}", p, degrees);
  if (p == 0.5) return 0;
  const double tail = p > 0.5 ? 1 - p : p;
  double low = 0, high = 1;
  while (StudentTail(high, degrees) > tail) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = (low + high) / 2;
    (StudentTail(middle, degrees) > tail ? low : high) = middle;
  }
  const double t = (low + high) / 2;
  return p > 0.5 ? t : -t;
}

Summary Summarize(std::span<const double> values) {
  PD_CHECK(!values.empty());
  const auto [min, max] = std::ranges::minmax(values);
  Summary summary{.n = static_cast<int>(values.size()), .mean = Mean(values), .min = min, .max = max};
  if (summary.n < 2) return summary;
  const double sd = std::sqrt(SumOfSquares(values, summary.mean) / (summary.n - 1));
  const double half = StudentQuantile(0.975, summary.n - 1) * sd / std::sqrt(summary.n);
  summary.sd = sd;
  summary.low = summary.mean - half;
  summary.high = summary.mean + half;
  return summary;
}

SpreadParts SplitSpread(const std::vector<std::vector<double>>& groups) {
  double n = 0, squares_of_sizes = 0, within = 0, total = 0;
  for (const auto& group : groups) {
    PD_CHECK(!group.empty());
    const double mean = Mean(group);
    within += SumOfSquares(group, mean);
    total += mean * static_cast<double>(group.size());
    n += static_cast<double>(group.size());
    squares_of_sizes += static_cast<double>(group.size() * group.size());
  }
  SpreadParts parts;
  const double k = static_cast<double>(groups.size());
  if (n - k < 1) return parts;
  const double within_square = within / (n - k);
  parts.training_sd = std::sqrt(within_square);
  if (k < 2) return parts;
  double between = 0;
  for (const auto& group : groups) between += static_cast<double>(group.size()) * std::pow(Mean(group) - total / n, 2);
  const double size = (n - squares_of_sizes / n) / (k - 1);
  parts.search_sd = std::sqrt(std::max(0.0, (between / (k - 1) - within_square) / size));
  return parts;
}

Interval WelchInterval(const Summary& a, const Summary& b) {
  PD_CHECK(a.sd && b.sd);
  const double va = *a.sd * *a.sd / a.n, vb = *b.sd * *b.sd / b.n;
  const double difference = b.mean - a.mean;
  if (va + vb == 0) return {difference, difference};
  const double degrees = (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1));
  const double half = StudentQuantile(0.975, degrees) * std::sqrt(va + vb);
  return {difference - half, difference + half};
}

}  // namespace pdarts::experiment
