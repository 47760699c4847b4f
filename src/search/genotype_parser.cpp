#include <algorithm>
#include <set>

#include "base/error.h"
#include "search/genotype.h"

namespace pdarts::search {
namespace {

constexpr size_t kMaxItems = 64;  // of a list; cells are far smaller
constexpr int kMaxNumber = 1000;

// Recursive descent without recursion: the grammar has a fixed depth.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Genotype Parse() {
    Genotype genotype;
    if (Word() != "Genotype") Fail(0, "'Genotype('");
    Expect('(');
    std::set<std::string> seen;
    do {
      Space();
      if (!seen.empty() && Peek() == ')') break;  // Python allows a last comma
      const size_t begin = at_;
      const std::string field(Word());
      if (!kFields.contains(field)) Fail(begin, "normal=, normal_concat=, reduce= or reduce_concat=");
      if (!seen.insert(field).second) Fail(begin, fmt::format("each field once, not {} again", field));
      Expect('=');
      if (field == "normal") genotype.normal = Cell();
      if (field == "reduce") genotype.reduce = Cell();
      if (field == "normal_concat") genotype.normal_concat = Concat();
      if (field == "reduce_concat") genotype.reduce_concat = Concat();
    } while (Accept(','));
    Expect(')');
    Space();
    if (at_ != text_.size()) Fail(at_, "nothing after the closing ')'");
    for (const std::string& field : kFields) {
      if (!seen.contains(field)) Fail(text_.size(), fmt::format("the field {}=", field));
    }
    return genotype;
  }

 private:
  inline static const std::set<std::string> kFields = {"normal", "normal_concat", "reduce", "reduce_concat"};

  [[noreturn]] void Fail(size_t position, const std::string& expected) const {
    throw base::UsageError(fmt::format("the genotype is malformed: {} was expected", expected),
                           fmt::format("position {}", position + 1),
                           "write Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], "
                           "reduce_concat=range(2, 6))");
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void Space() {
    while (Peek() == ' ' || Peek() == '\n' || Peek() == '\t' || Peek() == '\r') ++at_;
  }

  bool Accept(char symbol) {
    Space();
    if (Peek() != symbol) return false;
    ++at_;
    return true;
  }

  void Expect(char symbol) {
    if (!Accept(symbol)) Fail(at_, fmt::format("'{}'", symbol));
  }

  static bool IsWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  std::string_view Word() {
    Space();
    const size_t begin = at_;
    while (IsWord(Peek())) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  int Number() {
    Space();
    const size_t begin = at_;
    int value = 0;
    while (Peek() >= '0' && Peek() <= '9' && value <= kMaxNumber) value = 10 * value + (text_[at_++] - '0');
    if (at_ == begin || value > kMaxNumber) Fail(begin, fmt::format("a number from 0 to {}", kMaxNumber));
    return value;
  }

  Primitive Op() {
    Space();
    const char quote = Peek();
    if (quote != '\'' && quote != '"') Fail(at_, "an operation's name in quotes");
    const size_t begin = ++at_;
    const std::string name(Word());
    Primitive op;
    if (!ParsePrimitive(name, &op)) {
      const std::string near = base::NearestName(name, PrimitiveNames());
      Fail(begin,
           near.empty() ? fmt::format("one of {}", fmt::join(PrimitiveNames(), ", ")) : fmt::format("'{}'", near));
    }
    if (Peek() != quote) Fail(at_, "the closing quote");
    ++at_;
    return op;
  }

  template <class Item>
  void List(char close, Item&& item) {
    for (size_t count = 0; !Accept(close); ++count) {
      if (count > 0) {
        if (!Accept(',')) Fail(at_, fmt::format("',' or '{}'", close));
        if (Accept(close)) return;
      }
      if (count == kMaxItems) Fail(at_, fmt::format("at most {} items", kMaxItems));
      item();
    }
  }

  std::vector<GenotypeEdge> Cell() {
    std::vector<GenotypeEdge> edges;
    Expect('[');
    List(']', [&] {
      Expect('(');
      const Primitive op = Op();
      Expect(',');
      edges.push_back({op, Number()});
      Expect(')');
    });
    return edges;
  }

  std::vector<int> Concat() {
    std::vector<int> concat;
    if (Accept('[')) {
      List(']', [&] { concat.push_back(Number()); });
      return concat;
    }
    const size_t begin = at_;
    if (Word() != "range") Fail(begin, "range(first, end) or a list");
    Expect('(');
    const int first = Number();
    Expect(',');
    const int end = Number();
    Expect(')');
    for (int i = first; i < end; ++i) concat.push_back(i);
    return concat;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Genotype ParseGenotype(std::string_view text) {
  const Genotype genotype = Parser(text).Parse();
  Validate(genotype, "the genotype given");
  return genotype;
}

}  // namespace pdarts::search
