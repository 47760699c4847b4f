// Reads the pickles of CIFAR's python version and nothing more: dictionaries, lists, strings, numbers and numpy arrays.
// No class is ever made and no code is run; anything else is refused.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace pdarts::data {

class Pickle {
 public:
  enum class Kind { kNone, kInteger, kText, kList, kTuple, kDict, kGlobal, kObject };

  // Items are positions in the pickle's pool of values, so that a pickle that contains itself is no cycle of owners.
  struct Value {
    Kind kind = Kind::kNone;
    int64_t integer = 0;    // kInteger; booleans are 0 and 1
    std::string_view text;  // kText: bytes or str alike; kGlobal: "module name"
    std::vector<uint32_t>
        items;  // kList, kTuple; kDict: key, value, key, value, ...; kObject: what was called, its arguments, its state
  };

  struct Matrix {
    int64_t rows = 0, columns = 0;
    std::string_view bytes;  // rows * columns, row major
  };

  // `bytes` must outlive the pickle. Protocols 2 to 5. Throws a data error naming `where`.
  Pickle(std::string_view bytes, std::string where);

  const Value& root() const { return values_[root_]; }
  const Value& operator[](uint32_t item) const { return values_[item]; }

  // The value under a key of a dictionary. Throws a data error where it is missing.
  const Value& Get(const Value& dict, std::string_view key) const;

  std::vector<int64_t> Integers(const Value& list) const;   // a list of integers
  std::vector<std::string> Texts(const Value& list) const;  // a list of strings
  Matrix ByteMatrix(const Value& array) const;              // a two-dimensional numpy array of uint8 in C order

 private:
  friend class PickleMachine;
  [[noreturn]] void Fail(const std::string& what) const;

  std::string where_;
  std::vector<Value> values_;
  std::deque<std::string> owned_;  // texts that are not verbatim in the input
  uint32_t root_ = 0;
};

}  // namespace pdarts::data
