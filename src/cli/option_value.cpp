#include "cli/option_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "base/error.h"

namespace pdarts::cli {
namespace {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

std::string RangeText(const Range& range) {
  const Range all;
  if (range.min != all.min && range.max != all.max) return fmt::format("from {} to {}", range.min, range.max);
  if (range.min != all.min) return fmt::format("at least {}", range.min);
  if (range.max != all.max) return fmt::format("at most {}", range.max);
  return "of any size";
}

template <class T>
T ParseNumber(const std::string& text, const Range& range, const std::string& where) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  bool good = error == std::errc() && rest == end;
  if constexpr (std::is_floating_point_v<T>) good = good && std::isfinite(value);
  const double number = static_cast<double>(value);
  if (good && number >= range.min && number <= range.max) return value;
  Range shown = range;
  if constexpr (std::is_unsigned_v<T>) shown.min = std::max(shown.min, 0.0);
  const char* kind = std::is_floating_point_v<T> ? "a number" : "a whole number";
  throw base::UsageError(fmt::format("'{}' is not {} {}", text, kind, RangeText(shown)), where, "");
}

bool ParseBool(const std::string& text, const std::string& where) {
  if (text.empty() || text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  throw base::UsageError(fmt::format("'{}' is neither true nor false", text), where, "");
}

template <class T>
T ParseValue(const std::string& text, const Range& range, const std::string& where) {
  if constexpr (std::is_same_v<T, std::string>) {
    return text;
  } else if constexpr (std::is_same_v<T, bool>) {
    return ParseBool(text, where);
  } else {
    return ParseNumber<T>(text, range, where);
  }
}

}  // namespace

void SetTarget(const OptionSet::Target& target, const std::string& text, const Range& range, const std::string& where) {
  std::visit(
      [&](auto* value) {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          value->push_back(text);
        } else if constexpr (IsOptional<T>::value) {
          *value = ParseValue<typename T::value_type>(text, range, where);
        } else {
          *value = ParseValue<T>(text, range, where);
        }
      },
      target);
}

std::string ShowTarget(const OptionSet::Target& target) {
  return std::visit(
      [](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (IsOptional<T>::value) {
          return value->has_value() ? fmt::format("{}", **value) : "";
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return fmt::format("{}", fmt::join(*value, " "));
        } else {
          return fmt::format("{}", *value);
        }
      },
      target);
}

}  // namespace pdarts::cli
