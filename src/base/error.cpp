#include "base/error.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace pdarts::base {
namespace {

std::string OneLine(const std::string& what, const std::string& where, const std::string& remedy) {
  std::string line = where.empty() ? what : fmt::format("{}: {}", where, what);
  if (!remedy.empty()) line += fmt::format(" ({})", remedy);
  return line;
}

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

Error::Error(ExitCode code, std::string what, std::string where, std::string remedy)
    : std::runtime_error(OneLine(what, where, remedy)),
      code_(code),
      message_(std::move(what)),
      where_(std::move(where)),
      remedy_(std::move(remedy)) {}

Error UsageError(std::string what, std::string where, std::string remedy) {
  return Error(ExitCode::kUsage, std::move(what), std::move(where), std::move(remedy));
}

Error DataError(std::string what, std::string where, std::string remedy) {
  return Error(ExitCode::kData, std::move(what), std::move(where), std::move(remedy));
}

Error DeviceError(std::string what, std::string where, std::string remedy) {
  return Error(ExitCode::kDevice, std::move(what), std::move(where), std::move(remedy));
}

std::string NearestName(const std::string& word, const std::vector<std::string>& names) {
  std::string nearest;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(word, name);
    if (distance < least && distance < std::max(word.size(), name.size())) {  // some letter stays
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

void CheckFailed(const char* condition, const char* file, int line, const std::string& detail) {
  const std::string suffix = detail.empty() ? "" : ": " + detail;
  throw std::logic_error(fmt::format("internal error at {}:{}: {} does not hold{}", file, line, condition, suffix));
}

}  // namespace pdarts::base
