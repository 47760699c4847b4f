#include "selftest/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pdarts::selftest {

double RelativeError(std::span<const double> actual, std::span<const double> expected) {
  PD_CHECK(actual.size() == expected.size(), "{} elements against {}", actual.size(), expected.size());
  double difference = 0, norm = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

double Comparison::Error(const std::string& name, std::span<const double> actual,
                         const tensor::HostTensor& expected) const {
  if (static_cast<int64_t>(actual.size()) != expected.shape().elements())
    throw base::DataError(
        fmt::format("tensor {} is {}, {} elements are computed", name, expected.shape().ToString(), actual.size()),
        report_.file, "the metadata and the tensors do not belong together; make the file again");
  return RelativeError(actual, expected.ToDoubles());
}

GroupErrors GroupErrors::Of(std::vector<double> errors) {
  if (errors.empty()) return {};
  std::sort(errors.begin(), errors.end());
  return {errors.size(), errors[errors.size() / 2], errors.back()};
}

void Comparison::Check(const std::string& name, std::span<const double> actual, const tensor::HostTensor& expected,
                       double tolerance) {
  const double error = Error(name, actual, expected);
  ++report_.compared;
  if (error >= report_.worst) report_.worst = error, report_.worst_tensor = name;
  if (!(error <= tolerance))
    report_.failures.push_back(fmt::format("{}: off by {:.3g}, allowed {:.3g}", name, error, tolerance));
}

void Comparison::AddToGroup(const std::string& name, std::span<const double> actual,
                            const tensor::HostTensor& expected) {
  const double error = Error(name, actual, expected);
  ++report_.compared;
  group_.push_back(error);
  if (!std::isfinite(error)) report_.failures.push_back(fmt::format("{}: not finite", name));
}

GroupErrors Comparison::EndGroup(const std::string& group) {
  const GroupErrors errors = GroupErrors::Of(std::move(group_));
  group_.clear();
  if (errors.tensors > 0)
    Note(
        fmt::format("{}: {} tensors, median {:.3g}, worst {:.3g}", group, errors.tensors, errors.median, errors.worst));
  return errors;
}

}  // namespace pdarts::selftest
