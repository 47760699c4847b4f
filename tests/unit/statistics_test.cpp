#include "experiment/statistics.h"

#include <cmath>

#include "catch2/catch_approx.hpp"
#include "catch2/catch_test_macros.hpp"

namespace pdarts::experiment {
namespace {

using Catch::Approx;

TEST_CASE("quantiles of Student's t agree with the printed tables", "[experiment]") {
  CHECK(StudentQuantile(0.975, 1) == Approx(12.7062047364).epsilon(1e-9));
  CHECK(StudentQuantile(0.975, 2) == Approx(4.3026527297).epsilon(1e-9));
  CHECK(StudentQuantile(0.975, 4) == Approx(2.7764451052).epsilon(1e-9));
  CHECK(StudentQuantile(0.975, 9) == Approx(2.2621571628).epsilon(1e-9));
  CHECK(StudentQuantile(0.975, 30) == Approx(2.0422724563).epsilon(1e-9));
  CHECK(StudentQuantile(0.95, 5) == Approx(2.0150483733).epsilon(1e-9));
  CHECK(StudentQuantile(0.995, 10) == Approx(3.1692726726).epsilon(1e-9));
  CHECK(StudentQuantile(0.975, 1e7) == Approx(1.9599641).epsilon(1e-6));
}

TEST_CASE("quantiles of Student's t are odd and rise", "[experiment]") {
  CHECK(StudentQuantile(0.5, 3) == 0);
  CHECK(StudentQuantile(0.025, 7) == -StudentQuantile(0.975, 7));
  CHECK(StudentQuantile(0.75, 1) == Approx(1).epsilon(1e-12));  // Cauchy: tan(pi/4)
  CHECK(StudentQuantile(0.9, 2.5) < StudentQuantile(0.95, 2.5));
}

TEST_CASE("a summary has an interval from two values on", "[experiment]") {
  const double one[] = {2.5};
  CHECK(Summarize(one).mean == 2.5);
  CHECK_FALSE(Summarize(one).sd);
  CHECK_FALSE(Summarize(one).low);
  const double values[] = {2.4, 2.5, 2.7};
  const Summary summary = Summarize(values);
  CHECK(summary.n == 3);
  CHECK(summary.mean == Approx(2.5333333333));
  CHECK(*summary.sd == Approx(0.1527525232));
  CHECK(*summary.low == Approx(2.5333333333 - 4.3026527297 * 0.1527525232 / std::sqrt(3.0)));
  CHECK(*summary.high == Approx(2.5333333333 + 4.3026527297 * 0.1527525232 / std::sqrt(3.0)));
  CHECK(summary.min == 2.4);
  CHECK(summary.max == 2.7);
}

TEST_CASE("the spread is parted into search and training", "[experiment]") {
  // Means 1, 3; each group varies by +-0.1: MS within 0.02, MS between 4, so (4 - 0.02) / 2.
  const SpreadParts parts = SplitSpread({{0.9, 1.1}, {2.9, 3.1}});
  CHECK(*parts.training_sd == Approx(std::sqrt(0.02)));
  CHECK(*parts.search_sd == Approx(std::sqrt(1.99)));
  // The searches differ less than the trainings let expect: nothing is left for them.
  CHECK(*SplitSpread({{1, 3}, {1.1, 3.1}}).search_sd == 0);
}

TEST_CASE("a part of the spread is absent where too few runs can tell it", "[experiment]") {
  CHECK_FALSE(SplitSpread({{1.0}}).training_sd);
  CHECK_FALSE(SplitSpread({{1.0}, {2.0}}).search_sd);
  const SpreadParts one_cell = SplitSpread({{1.0, 1.2}});
  CHECK(one_cell.training_sd);
  CHECK_FALSE(one_cell.search_sd);
}

TEST_CASE("Welch's interval of a difference", "[experiment]") {
  const double a[] = {27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
  const double b[] = {27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.4, 22.8};
  // By the formulas, computed apart: means 20.82 and 23.54, sums of squares 108.744 and 91.376.
  const Interval interval = WelchInterval(Summarize(a), Summarize(b));
  CHECK((interval.low + interval.high) / 2 == Approx(Summarize(b).mean - Summarize(a).mean));
  CHECK(interval.low > 0);
  const Interval none = WelchInterval(Summarize(a), Summarize(a));
  CHECK(none.low == Approx(-none.high));
}

}  // namespace
}  // namespace pdarts::experiment
