// A node's attributes as plain data: named integers, numbers, texts and lists of integers. Hash, equality, printing and
// parsing live here once; every op's typed struct converts through one Visit function (see ops/attributes in each op's
// header).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pdarts::ir {

class Attributes {
 public:
  using Value = std::variant<int64_t, double, std::string, std::vector<int64_t>>;

  void Set(std::string_view name, Value value);  // keeps the order of first setting
  const Value& Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  int64_t Int(std::string_view name) const { return std::get<int64_t>(Get(name)); }

  bool operator==(const Attributes&) const = default;
  uint64_t Hash() const;
  std::string ToString() const;                         // "stride_h=2 eps=1e-05 indices=[0,3]"
  static Attributes FromString(std::string_view text);  // reads what ToString wrote; PD_CHECKs on anything else

 private:
  std::vector<std::pair<std::string, Value>> fields_;
};

// Converts between a typed struct and Attributes. The struct has `template <class F> void Visit(F&& f)` calling f(name,
// field) for each.
template <class T>
Attributes Pack(T typed) {
  Attributes attributes;
  typed.Visit([&](const char* name, auto& field) { attributes.Set(name, Attributes::Value(field)); });
  return attributes;
}

template <class T>
T Unpack(const Attributes& attributes) {
  T typed;
  typed.Visit(
      [&](const char* name, auto& field) { field = std::get<std::decay_t<decltype(field)>>(attributes.Get(name)); });
  return typed;
}

}  // namespace pdarts::ir
