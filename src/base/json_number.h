// Whole numbers out of JSON that anyone may have written.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace pdarts::base {

// The whole number that `value` (a nlohmann::json or ordered_json) is; the library's own out_of_range error where it is
// none, or none that Number holds: its get<int>() takes 1.5 for 1, cuts 2^40, and is undefined for 1e300.
template <std::integral Number, class Json>
Number WholeNumber(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.template get<uint64_t>();
    if (std::in_range<Number>(number)) return static_cast<Number>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.template get<int64_t>();
    if (std::in_range<Number>(number)) return static_cast<Number>(number);
  }
  throw Json::out_of_range::create(406,
                                   value.dump() + " is not a whole number from " +
                                       std::to_string(std::numeric_limits<Number>::min()) + " to " +
                                       std::to_string(std::numeric_limits<Number>::max()),
                                   &value);
}

}  // namespace pdarts::base
