#include "experiment/verdict.h"

#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace pdarts::experiment {
namespace {

const ColumnSpec kParams{.id = "params", .measure = Measure::kParameters, .digits = 1};

Summary Of(std::vector<double> values) { return Summarize(values); }

TEST_CASE("one run never reproduces a statistical value", "[experiment]") {
  CHECK(JudgeAgainstPaper(2.5, 0.25, Of({2.5})) == Verdict::kInconclusive);
}

TEST_CASE("a value is reproduced when its whole interval is in the band", "[experiment]") {
  CHECK(JudgeAgainstPaper(2.5, 0.25, Of({2.49, 2.51, 2.50})) == Verdict::kReproduced);
  CHECK(JudgeAgainstPaper(2.5, 0.25, Of({2.55, 2.56, 2.57})) == Verdict::kReproduced);
  CHECK(JudgeAgainstPaper(2.5, 0.25, Of({2.3, 2.7})) == Verdict::kInconclusive);
  CHECK(JudgeAgainstPaper(2.5, 0.25, Of({2.90, 2.91, 2.92})) == Verdict::kWorse);
  CHECK(JudgeAgainstPaper(2.5, 0.25, Of({2.10, 2.11, 2.12})) == Verdict::kBetter);
}

TEST_CASE("sizes are judged to the unit and to the paper's digits", "[experiment]") {
  const EntrySpec entry{.column = "params", .paper = 3.4, .evidence = Evidence::kExact, .count = 3433798};
  CHECK(JudgeExact(entry, kParams, 3433798) == Verdict::kReproduced);
  CHECK(JudgeExact(entry, kParams, 3433799) == Verdict::kDiffers);
  EntrySpec rounds_elsewhere = entry;
  rounds_elsewhere.paper = 3.3;
  CHECK(JudgeExact(rounds_elsewhere, kParams, 3433798) == Verdict::kDiffers);
  rounds_elsewhere.reason = "the paper's cell is another one";
  CHECK(JudgeExact(rounds_elsewhere, kParams, 3433798) == Verdict::kNotComparable);
  CHECK(JudgeExact(rounds_elsewhere, kParams, 3433797) == Verdict::kDiffers);
}

TEST_CASE("a stored value is judged by its band", "[experiment]") {
  CHECK(JudgeAgainstStored(50.0, 5, 55.0) == Verdict::kAsStored);
  CHECK(JudgeAgainstStored(50.0, 5, 44.9) == Verdict::kDiffers);
  CHECK(JudgeAgainstStored(std::nullopt, 5, 50.0) == Verdict::kInconclusive);
}

TEST_CASE("a value that is too good is out of band too", "[experiment]") {
  CHECK(StandingOf(Verdict::kBetter) == Standing::kOutOfBand);
  CHECK(StandingOf(Verdict::kQuoted) == Standing::kNeutral);
}

TEST_CASE("halves are rounded away from zero, as printed tables are", "[experiment]") {
  CHECK(RoundTo(2.675, 2) == 2.68);
  CHECK(RoundTo(-2.675, 2) == -2.68);
  CHECK(RoundTo(3.449999, 1) == 3.4);
}

}  // namespace
}  // namespace pdarts::experiment
