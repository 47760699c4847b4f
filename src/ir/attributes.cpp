#include "ir/attributes.h"

#include <charconv>

#include "base/error.h"
#include "base/hash.h"

namespace pdarts::ir {
namespace {

struct Printer {
  std::string operator()(int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const {
    // A number without a point or exponent would read back as an integer.
    std::string text = fmt::format("{}", value);
    return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
  }
  std::string operator()(const std::string& value) const { return "'" + value + "'"; }
  std::string operator()(const std::vector<int64_t>& value) const { return fmt::format("[{}]", fmt::join(value, ",")); }
};

int64_t ParseInt(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  PD_CHECK(error == std::errc() && end == text.data() + text.size(), "not an integer: {}", text);
  return value;
}

Attributes::Value ParseValue(std::string_view text) {
  PD_CHECK(!text.empty(), "empty attribute");
  if (text.front() == '\'') return std::string(text.substr(1, text.size() - 2));
  if (text.front() == '[') {
    std::vector<int64_t> list;
    std::string_view rest = text.substr(1, text.size() - 2);
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      list.push_back(ParseInt(rest.substr(0, comma)));
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    return list;
  }
  if (text.find_first_of(".einf") == std::string_view::npos) return ParseInt(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  PD_CHECK(error == std::errc() && end == text.data() + text.size(), "not a number: {}", text);
  return value;
}

}  // namespace

void Attributes::Set(std::string_view name, Value value) {
  for (auto& [field_name, field] : fields_) {
    if (field_name == name) {
      field = std::move(value);
      return;
    }
  }
  fields_.emplace_back(name, std::move(value));
}

const Attributes::Value& Attributes::Get(std::string_view name) const {
  for (const auto& [field_name, field] : fields_)
    if (field_name == name) return field;
  PD_CHECK(false, "no attribute {}", name);
}

bool Attributes::Has(std::string_view name) const {
  for (const auto& field : fields_)
    if (field.first == name) return true;
  return false;
}

uint64_t Attributes::Hash() const { return base::Fnv1a(ToString()); }

std::string Attributes::ToString() const {
  std::string text;
  for (const auto& [name, value] : fields_)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, std::visit(Printer{}, value));
  return text;
}

Attributes Attributes::FromString(std::string_view text) {
  Attributes attributes;
  while (!text.empty()) {
    const size_t equal = text.find('=');
    PD_CHECK(equal != std::string_view::npos && equal + 1 < text.size(), "not attributes: {}", text);
    const bool quoted = text[equal + 1] == '\'';
    const size_t close = quoted ? text.find('\'', equal + 2) + 1 : text.find(' ', equal);
    const size_t end = std::min(close, text.size());
    attributes.Set(text.substr(0, equal), ParseValue(text.substr(equal + 1, end - equal - 1)));
    text = end < text.size() ? text.substr(end + 1) : "";
  }
  return attributes;
}

}  // namespace pdarts::ir
