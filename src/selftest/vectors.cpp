#include "selftest/vectors.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "search/derivation_cases.h"

namespace pdarts::selftest {

const std::string& VectorFile::Meta(const std::string& key) const {
  const auto it = content.metadata.find(key);
  if (it == content.metadata.end())
    throw base::DataError(fmt::format("__metadata__ has no '{}'", key), name,
                          "this is not a file of reference vectors, or of another version");
  return it->second;
}

double VectorFile::Number(const std::string& key) const {
  const std::string& text = Meta(key);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    throw base::DataError(fmt::format("__metadata__ '{}' is '{}', not a number", key, text), name,
                          "make the file again");
  return value;
}

int64_t VectorFile::Count(const std::string& key, int64_t most) const {
  const double value = Number(key);
  if (!(value >= 1 && value <= static_cast<double>(most) && value == std::trunc(value)))
    throw base::DataError(fmt::format("__metadata__ '{}' is {}, not a whole number from 1 to {}", key, value, most),
                          name, "make the file again");
  return static_cast<int64_t>(value);
}

nlohmann::json VectorFile::Json(const std::string& key) const {
  nlohmann::json value = nlohmann::json::parse(Meta(key), nullptr, false);
  if (value.is_discarded())
    throw base::DataError(fmt::format("__metadata__ '{}' is not JSON", key), name, "make the file again");
  return value;
}

Report CheckFile(const std::filesystem::path& path, const Checker& checker) {
  Report report;
  report.file = path.filename().string();
  if (path.extension() == ".json") {
    const search::DerivationCasesResult result = search::CheckDerivationCases(base::ReadFile(path), path.string());
    report.kind = "derivation";
    report.compared = result.cases;
    report.notes.push_back(fmt::format("{} of {} cases", result.passed, result.cases));
    if (result.passed != result.cases) report.failures.push_back(result.first_failure);
    return report;
  }
  const VectorFile file{path.string(), tensor::ReadSafetensors(path)};
  report.kind = file.Meta("kind");
  if (report.kind == "ops")
    CheckOperations(file, checker, report);
  else if (report.kind == "search")
    CheckSearchTrajectory(file, checker, report);
  else if (report.kind == "evaluation")
    CheckEvaluationTrajectory(file, checker, report);
  else
    throw base::DataError(fmt::format("kind '{}' is not known", report.kind), file.name,
                          "known: ops, search, evaluation");
  return report;
}

}  // namespace pdarts::selftest
