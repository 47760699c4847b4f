#include "data/pickle.h"

#include <unordered_map>

#include "base/error.h"

namespace pdarts::data {

// The stack machine of the pickle protocol (CPython, Lib/pickletools.py), restricted to what holds plain data.
class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, std::string_view bytes) : pickle_(pickle), left_(bytes) {}

  void Run() {
    while (Step(static_cast<uint8_t>(Take(1)[0]))) {
    }
  }

 private:
  using Kind = Pickle::Kind;
  using Value = Pickle::Value;

  std::string_view Take(uint64_t count) {
    if (count > left_.size()) pickle_.Fail("the pickle ends early");
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  std::string_view TakeLine() {
    const size_t end = left_.find('\n');
    if (end == std::string_view::npos) pickle_.Fail("the pickle ends early");
    const std::string_view line = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return line;
  }

  uint64_t TakeUnsigned(int bytes) {
    uint64_t number = 0;
    const std::string_view taken = Take(static_cast<uint64_t>(bytes));
    for (int i = 0; i < bytes; ++i) number |= uint64_t{static_cast<uint8_t>(taken[i])} << 8 * i;
    return number;
  }

  int64_t TakeLong() {
    const int bytes = static_cast<int>(TakeUnsigned(1));
    if (bytes > 8) pickle_.Fail("a number in the pickle is too large");
    if (bytes == 0) return 0;
    const int unused = 64 - 8 * bytes;
    return static_cast<int64_t>(TakeUnsigned(bytes) << unused) >> unused;
  }

  uint32_t Add(Value value) {
    pickle_.values_.push_back(std::move(value));
    return static_cast<uint32_t>(pickle_.values_.size() - 1);
  }
  bool Push(Value value) {
    stack_.push_back(Add(std::move(value)));
    return true;
  }
  bool PushInteger(int64_t integer) { return Push({.kind = Kind::kInteger, .integer = integer}); }
  bool PushText(std::string_view text) { return Push({.kind = Kind::kText, .text = text}); }

  // Items above the last mark may not be taken below it.
  uint32_t Pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
      pickle_.Fail("the pickle is damaged: its stack is empty");
    const uint32_t top = stack_.back();
    stack_.pop_back();
    return top;
  }

  std::vector<uint32_t> PopToMark() {
    if (marks_.empty()) pickle_.Fail("the pickle is damaged: a mark is missing");
    std::vector<uint32_t> items(stack_.begin() + static_cast<int64_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  Value& Top(Kind kind) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
      pickle_.Fail("the pickle is damaged: its stack is empty");
    Value& top = pickle_.values_[stack_.back()];
    if (top.kind != kind) pickle_.Fail("the pickle is damaged: an operation meets a value of another kind");
    return top;
  }

  bool PushTuple(int count) {
    std::vector<uint32_t> items(static_cast<size_t>(count));
    for (int i = count - 1; i >= 0; --i) items[i] = Pop();
    return Push({.kind = Kind::kTuple, .items = std::move(items)});
  }

  bool Extend(Kind kind, const std::vector<uint32_t>& items) {
    Value& target = Top(kind);
    if (kind == Kind::kDict && items.size() % 2 != 0) pickle_.Fail("the pickle is damaged: a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
    return true;
  }

  bool Remember(uint64_t key) {
    if (stack_.empty()) pickle_.Fail("the pickle is damaged: its stack is empty");
    memo_[key] = stack_.back();
    return true;
  }

  bool Recall(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) pickle_.Fail("the pickle is damaged: it refers to a value that is not there");
    stack_.push_back(found->second);
    return true;
  }

  bool PushGlobal(std::string_view module, std::string_view name) {
    const std::string& path = pickle_.owned_.emplace_back(fmt::format("{} {}", module, name));
    for (const char* known : {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct",
                              "numpy ndarray", "numpy dtype", "_codecs encode"}) {
      if (path == known) return Push({.kind = Kind::kGlobal, .text = path});
    }
    pickle_.Fail(fmt::format("the pickle asks for '{}.{}', which no CIFAR batch needs", module.substr(0, 60),
                             name.substr(0, 60)));
  }

  // Calls are recorded, not made; but `_codecs.encode(text, 'latin1')`, how Python 3 writes bytes in protocol 2, is the
  // bytes.
  bool Reduce() {
    const uint32_t arguments = Pop(), callee = Pop();
    const Value &function = pickle_.values_[callee], &tuple = pickle_.values_[arguments];
    if (function.kind != Kind::kGlobal || tuple.kind != Kind::kTuple)
      pickle_.Fail("the pickle calls what is no function");
    if (function.text == "_codecs encode") {
      if (tuple.items.empty() || pickle_.values_[tuple.items[0]].kind != Kind::kText)
        pickle_.Fail("the pickle encodes what is no text");
      return PushText(Latin1(pickle_.values_[tuple.items[0]].text));
    }
    return Push({.kind = Kind::kObject, .items = {callee, arguments}});
  }

  std::string_view Latin1(std::string_view utf8) {
    std::string& bytes = pickle_.owned_.emplace_back();
    for (size_t i = 0; i < utf8.size(); ++i) {
      const uint8_t first = static_cast<uint8_t>(utf8[i]);
      if (first < 0x80) {
        bytes += utf8[i];
      } else if ((first == 0xC2 || first == 0xC3) && i + 1 < utf8.size()) {
        bytes += static_cast<char>((first & 3) << 6 | (static_cast<uint8_t>(utf8[++i]) & 0x3F));
      } else {
        pickle_.Fail("a text in the pickle is not latin-1");
      }
    }
    return bytes;
  }

  bool Build() {
    const uint32_t state = Pop();
    Value& object = Top(Kind::kObject);
    object.items.resize(2);
    object.items.push_back(state);
    return true;
  }

  bool StackGlobal() {
    const uint32_t name = Pop(), module = Pop();
    if (pickle_.values_[name].kind != Kind::kText || pickle_.values_[module].kind != Kind::kText) {
      pickle_.Fail("the pickle is damaged: a class without a name");
    }
    return PushGlobal(pickle_.values_[module].text, pickle_.values_[name].text);
  }

  bool Step(uint8_t opcode);
  bool StepData(uint8_t opcode);

  Pickle& pickle_;
  std::string_view left_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, uint32_t> memo_;
};

// False at the end of the pickle.
bool PickleMachine::Step(uint8_t opcode) {
  switch (opcode) {
    case 0x80:
      return Take(1), true;  // PROTO
    case 0x95:
      return Take(8), true;  // FRAME
    case '.':
      return pickle_.root_ = Pop(), false;  // STOP
    case '(':
      return marks_.push_back(stack_.size()), true;  // MARK
    case '0':
      return Pop(), true;  // POP
    case '1':
      return PopToMark(), true;  // POP_MARK
    case 'q':
      return Remember(TakeUnsigned(1));  // BINPUT
    case 'r':
      return Remember(TakeUnsigned(4));  // LONG_BINPUT
    case 0x94:
      return Remember(memo_.size());  // MEMOIZE
    case 'h':
      return Recall(TakeUnsigned(1));  // BINGET
    case 'j':
      return Recall(TakeUnsigned(4));  // LONG_BINGET
    case 'R':
      return Reduce();  // REDUCE
    case 'b':
      return Build();  // BUILD
    case 0x93:
      return StackGlobal();  // STACK_GLOBAL
    case 'c': {              // GLOBAL
      const std::string_view module = TakeLine();
      return PushGlobal(module, TakeLine());
    }
    case 'a': {  // APPEND
      const uint32_t item = Pop();
      return Extend(Kind::kList, {item});
    }
    case 'e':
      return Extend(Kind::kList, PopToMark());  // APPENDS
    case 's': {                                 // SETITEM
      const uint32_t value = Pop(), key = Pop();
      return Extend(Kind::kDict, {key, value});
    }
    case 'u':
      return Extend(Kind::kDict, PopToMark());  // SETITEMS
    default:
      return StepData(opcode);
  }
}

bool PickleMachine::StepData(uint8_t opcode) {
  switch (opcode) {
    case 'N':
      return Push({});  // NONE
    case 0x88:
      return PushInteger(1);  // NEWTRUE
    case 0x89:
      return PushInteger(0);  // NEWFALSE
    case 'K':
      return PushInteger(static_cast<int64_t>(TakeUnsigned(1)));  // BININT1
    case 'M':
      return PushInteger(static_cast<int64_t>(TakeUnsigned(2)));  // BININT2
    case 'J':
      return PushInteger(static_cast<int32_t>(TakeUnsigned(4)));  // BININT
    case 0x8a:
      return PushInteger(TakeLong());  // LONG1
    case 'U':
    case 'C':
    case 0x8c:
      return PushText(Take(TakeUnsigned(1)));  // SHORT_BINSTRING, _BINBYTES, _BINUNICODE
    case 'T':
    case 'B':
    case 'X':
      return PushText(Take(TakeUnsigned(4)));  // BINSTRING, BINBYTES, BINUNICODE
    case 0x8d:
    case 0x8e:
    case 0x96:
      return PushText(Take(TakeUnsigned(8)));  // BINUNICODE8, BINBYTES8, BYTEARRAY8
    case '}':
      return Push({.kind = Kind::kDict});  // EMPTY_DICT
    case ']':
      return Push({.kind = Kind::kList});  // EMPTY_LIST
    case ')':
      return Push({.kind = Kind::kTuple});  // EMPTY_TUPLE
    case 't':
      return Push({.kind = Kind::kTuple, .items = PopToMark()});  // TUPLE
    case 0x85:
    case 0x86:
    case 0x87:
      return PushTuple(opcode - 0x84);  // TUPLE1, TUPLE2, TUPLE3
    default:
      pickle_.Fail(fmt::format("the pickle has an operation that no CIFAR batch needs ({:#04x})", opcode));
  }
}

Pickle::Pickle(std::string_view bytes, std::string where) : where_(std::move(where)) {
  PickleMachine(*this, bytes).Run();
}

void Pickle::Fail(const std::string& what) const { throw base::DataError(what, where_, "get the archive again"); }

const Pickle::Value& Pickle::Get(const Value& dict, std::string_view key) const {
  for (size_t i = 0; dict.kind == Kind::kDict && i + 1 < dict.items.size(); i += 2) {
    const Value& candidate = values_[dict.items[i]];
    if (candidate.kind == Kind::kText && candidate.text == key) return values_[dict.items[i + 1]];
  }
  Fail(fmt::format("the pickle is no dictionary with '{}'", key));
}

std::vector<int64_t> Pickle::Integers(const Value& list) const {
  if (list.kind != Kind::kList) Fail("the pickle's labels are no list");
  std::vector<int64_t> integers;
  integers.reserve(list.items.size());
  for (const uint32_t item : list.items) {
    if (values_[item].kind != Kind::kInteger) Fail("a label in the pickle is no integer");
    integers.push_back(values_[item].integer);
  }
  return integers;
}

std::vector<std::string> Pickle::Texts(const Value& list) const {
  if (list.kind != Kind::kList) Fail("the pickle's names are no list");
  std::vector<std::string> texts;
  for (const uint32_t item : list.items) {
    if (values_[item].kind != Kind::kText) Fail("a name in the pickle is no text");
    texts.emplace_back(values_[item].text);
  }
  return texts;
}

// An array is numpy's _reconstruct with the state (version, shape, dtype, fortran order, bytes).
Pickle::Matrix Pickle::ByteMatrix(const Value& array) const {
  const auto is = [this](uint32_t item, Kind kind) { return values_[item].kind == kind; };
  const bool object = array.kind == Kind::kObject && array.items.size() == 3 &&
                      values_[array.items[0]].text.ends_with("_reconstruct") && is(array.items[2], Kind::kTuple) &&
                      values_[array.items[2]].items.size() == 5;
  if (!object) Fail("the pickle's data are no numpy array");
  const std::vector<uint32_t>& state = values_[array.items[2]].items;
  const std::vector<uint32_t>& shape = values_[state[1]].items;
  if (!is(state[1], Kind::kTuple) || shape.size() != 2 || !is(shape[0], Kind::kInteger) ||
      !is(shape[1], Kind::kInteger)) {
    Fail("the pickle's array has not two dimensions");
  }
  const Value& dtype = values_[state[2]];
  const bool is_dtype = dtype.kind == Kind::kObject && values_[dtype.items[0]].text == "numpy dtype" &&
                        !values_[dtype.items[1]].items.empty();
  if (!is_dtype || values_[values_[dtype.items[1]].items[0]].text != "u1") Fail("the pickle's array is not of uint8");
  if (!is(state[3], Kind::kInteger) || values_[state[3]].integer != 0) Fail("the pickle's array is not in C order");
  const Matrix matrix{values_[shape[0]].integer, values_[shape[1]].integer, values_[state[4]].text};
  const int64_t size = static_cast<int64_t>(matrix.bytes.size());
  const bool fits =
      matrix.rows >= 0 && matrix.columns > 0 && size % matrix.columns == 0 && size / matrix.columns == matrix.rows;
  if (!fits) Fail(fmt::format("the pickle's array of {} x {} has {} bytes", matrix.rows, matrix.columns, size));
  return matrix;
}

}  // namespace pdarts::data
