#include "search/genotype.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "catch2/catch_test_macros.hpp"

namespace pdarts::search {
namespace {

constexpr char kText[] =
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1)], normal_concat=range(0, 3), "
    "reduce=[(\"conv_7x1_1x7\", 1), ('sep_conv_7x7', 1),], reduce_concat=[2])";

std::string Failure(const std::string& text) {
  try {
    ParseGenotype(text);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK_FALSE(error.remedy().empty());
    return error.where() + ": " + error.message();
  }
  return "";
}

TEST_CASE("Genotype text: parsed and printed", "[search]") {
  const Genotype genotype = ParseGenotype(kText);
  CHECK(genotype.normal == std::vector<GenotypeEdge>{{Primitive::kSkipConnect, 0}, {Primitive::kDilConv3x3, 1}});
  CHECK(genotype.normal_concat == std::vector{0, 1, 2});
  CHECK(genotype.reduce == std::vector<GenotypeEdge>{{Primitive::kConv7x1And1x7, 1}, {Primitive::kSepConv7x7, 1}});
  CHECK(ToString(genotype) ==
        "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1)], normal_concat=[0, 1, 2], "
        "reduce=[('conv_7x1_1x7', 1), ('sep_conv_7x7', 1)], reduce_concat=[2])");
  CHECK(ParseGenotype(ToString(genotype)) == genotype);
  CHECK(GenotypeFromJson(ToJson(genotype), "x") == genotype);
}

TEST_CASE("Genotype text: errors say the position and what was expected", "[search]") {
  CHECK(Failure("") == "position 1: the genotype is malformed: 'Genotype(' was expected");
  CHECK(Failure("Genotype(normal=[('sep_conv_3x4', 0)])") ==
        "position 20: the genotype is malformed: 'sep_conv_3x3' was expected");
  CHECK(Failure("Genotype(normal=[('none', x)])") ==
        "position 27: the genotype is malformed: a number from 0 to 1000 was expected");
  CHECK(Failure("Genotype(normal=[], normal=[])") ==
        "position 21: the genotype is malformed: each field once, not normal again was expected");
  CHECK(Failure("Genotype(normal=[])") ==
        "position 20: the genotype is malformed: the field normal_concat= was expected");
  CHECK(Failure(std::string(kText) + " x") ==
        fmt::format("position {}: the genotype is malformed: nothing after the closing ')' was expected",
                    sizeof kText + 1));
}

TEST_CASE("Genotype text: every truncation is refused", "[search]") {
  const std::string text = kText;
  for (size_t size = 0; size < text.size(); ++size) CHECK_FALSE(Failure(text.substr(0, size)).empty());
}

TEST_CASE("Genotype: contradictions are refused", "[search]") {
  const auto with = [](const char* normal, const char* concat) {
    return fmt::format("Genotype(normal=[{}], normal_concat={}, reduce=[('none', 0), ('none', 1)], reduce_concat=[2])",
                       normal, concat);
  };
  CHECK(Failure(with("('none', 0), ('none', 1)", "[2]")) == "");
  CHECK(Failure(with("('none', 0)", "[2]")).find("has 1 edges; two a node") != std::string::npos);
  CHECK(Failure(with("", "[2]")).find("has 0 edges") != std::string::npos);
  CHECK(Failure(with("('none', 0), ('none', 2)", "[2]")).find("its node can take 0 to 1") != std::string::npos);
  CHECK(Failure(with("('none', 0), ('none', 1)", "[3]")).find("concatenates 3; it has 0 to 2") != std::string::npos);
  CHECK(Failure(with("('none', 0), ('none', 1)", "[2, 2]")).find("concatenates 2 twice") != std::string::npos);
  CHECK(Failure(with("('none', 0), ('none', 1)", "range(2, 2)")).find("concatenates nothing") != std::string::npos);
}

TEST_CASE("Genotype JSON: another form is a usage error", "[search]") {
  for (const char* text :
       {"[]", "{}", R"({"normal":3})", R"({"normal":[["x",0]],"normal_concat":[],"reduce":[],"reduce_concat":[]})",
        R"({"normal":[["none",1e9]],"normal_concat":[],"reduce":[],"reduce_concat":[]})"}) {
    INFO(text);
    CHECK_THROWS_AS(GenotypeFromJson(nlohmann::json::parse(text), "x"), base::Error);
  }
}

}  // namespace
}  // namespace pdarts::search
