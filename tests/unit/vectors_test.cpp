// Reference files that are malformed: a data error that names the file and the fault, before anything is computed from
// it.
#include "selftest/vectors.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "backends/ref/ref_backend.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "search/derivation_cases.h"
#include "support/temp_folder.h"

namespace pdarts::selftest {
namespace {

using Catch::Matchers::ContainsSubstring;
using tensor::DType, tensor::HostTensor, tensor::SafetensorsFile, tensor::Shape;

HostTensor Ones(DType dtype, const Shape& shape) {
  return HostTensor::FromDoubles({dtype, shape}, std::vector<double>(static_cast<size_t>(shape.elements()), 1));
}

// A dilated convolution of two channels, whose results are wrong but of the right shapes.
SafetensorsFile Operations() {
  SafetensorsFile file;
  for (const char* image : {"x", "y", "dx", "dy", "y_eval"})
    file.tensors[std::string("c.") + image] = Ones(DType::kF64, {1, 2, 4, 4});
  for (const char* kind : {"param", "dparam"}) {
    file.tensors[std::string("c.") + kind + ".op.1.weight"] = Ones(DType::kF64, {2, 1, 3, 3});
    file.tensors[std::string("c.") + kind + ".op.2.weight"] = Ones(DType::kF64, {2, 2, 1, 1});
  }
  for (const char* name : {"mean", "var"})
    file.tensors[std::string("c.running.op.3.running_") + name] = Ones(DType::kF64, {2});
  file.metadata = {
      {"kind", "ops"},
      {"cases",
       R"([{"case": "c", "op": "dil_conv_3x3", "stride": 1, "affine": false, "batch_norm_after_pool": true}])"}};
  return file;
}

SafetensorsFile Search() {
  SafetensorsFile file;
  const nlohmann::json switches(std::vector<std::vector<bool>>(14, {true, false, true}));
  file.metadata = {{"kind", "search"},
                   {"layers", "3"},
                   {"channels", "4"},
                   {"classes", "10"},
                   {"batch", "2"},
                   {"steps", "1"},
                   {"primitives", R"(["none", "skip_connect", "sep_conv_3x3"])"},
                   {"switches_normal", switches.dump()},
                   {"switches_reduce", switches.dump()}};
  file.tensors["images"] = Ones(DType::kF32, {1, 2, 3, 8, 8});
  file.tensors["labels"] = Ones(DType::kI64, {1, 2});
  return file;
}

using Change = std::function<void(SafetensorsFile&)>;

// The message of the data error that checking the changed file ends with.
std::string Failure(SafetensorsFile file, const Change& change) {
  change(file);
  const test::TempFolder folder;
  tensor::WriteSafetensors(folder.path() / "f.safetensors", file);
  const auto ref = backends::NewRefBackend();
  try {
    CheckFile(folder.path() / "f.safetensors", {*ref, Precision::kF64, *ref});
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    CHECK_FALSE(error.remedy().empty());
    return error.message();
  }
  return "no error";
}

Change Metadata(const std::string& key, const std::string& value) {
  return [=](SafetensorsFile& file) { file.metadata[key] = value; };
}

Change Tensor(const std::string& name, DType dtype, const Shape& shape) {
  return [=](SafetensorsFile& file) { file.tensors[name] = Ones(dtype, shape); };
}

std::string OneCase(const std::string& rest) {
  return R"([{"case": "c", "affine": false, "batch_norm_after_pool": true, )" + rest + "}]";
}

TEST_CASE("a file of operations that is well formed is compared, right or wrong", "[selftest]") {
  const test::TempFolder folder;
  tensor::WriteSafetensors(folder.path() / "f.safetensors", Operations());
  const auto ref = backends::NewRefBackend();
  const Report report = CheckFile(folder.path() / "f.safetensors", {*ref, Precision::kF64, *ref});
  CHECK(report.compared == 7);
  CHECK_FALSE(report.ok());
}

TEST_CASE("malformed files of operations are data errors", "[selftest]") {
  const auto failure = [](const Change& change) { return Failure(Operations(), change); };
  CHECK_THAT(failure(Metadata("kind", "other")), ContainsSubstring("'other' is not known"));
  CHECK_THAT(failure(Metadata("cases", "[")), ContainsSubstring("'cases' is not JSON"));
  CHECK_THAT(failure(Metadata("cases", "[{}]")), ContainsSubstring("key 'case' not found"));
  CHECK_THAT(failure(Metadata("cases", "7")), ContainsSubstring("'cases'"));
  CHECK_THAT(failure(Metadata("cases", OneCase(R"("op": "dil_conv_3x3", "stride": 0)"))),
             ContainsSubstring("stride 0"));
  CHECK_THAT(failure(Metadata("cases", OneCase(R"("op": "dil_conv", "stride": 1)"))), ContainsSubstring("'dil_conv'"));
  CHECK_THAT(failure(Metadata("cases", OneCase(R"("op": "dil_conv_3x3", "stride": 2)"))),
             ContainsSubstring("c.dy is 1x2x4x4, not 1x2x2x2"));
  CHECK_THAT(failure(Tensor("c.x", DType::kF64, {2, 4, 4})), ContainsSubstring("c.x is 2x4x4"));
  CHECK_THAT(failure(Tensor("c.x", DType::kF64, {0, 2, 4, 4})), ContainsSubstring("c.x is 0x2x4x4"));
  CHECK_THAT(failure(Tensor("c.param.op.1.weight", DType::kF64, {2, 1, 3, 4})), ContainsSubstring("not 2x1x3x3"));
  CHECK_THAT(failure(Tensor("c.y", DType::kF64, {1, 2, 4, 5})),
             ContainsSubstring("tensor c.y is 1x2x4x5, 32 elements"));
}

TEST_CASE("malformed files of trajectories are data errors", "[selftest]") {
  const auto failure = [](const Change& change) { return Failure(Search(), change); };
  for (const char* layers : {"0", "1e300", "-3", "2.5", "nan", "three", ""})
    CHECK_THAT(failure(Metadata("layers", layers)), ContainsSubstring("'layers'"));
  CHECK_THAT(failure(Metadata("switches_normal", "[[true, true, true]]")), ContainsSubstring("14 edges"));
  CHECK_THAT(failure(Metadata("switches_reduce", "[[1]]")), ContainsSubstring("'switches_reduce'"));
  CHECK_THAT(failure(Metadata("primitives", R"(["none", "skip", "skip"])")), ContainsSubstring("14 edges"));
  CHECK_THAT(failure(Metadata("classes", "1")), ContainsSubstring("label 1 for 1 classes"));
  CHECK_THAT(failure(Metadata("batch", "3")), ContainsSubstring("for batches of 3"));
  CHECK_THAT(failure(Tensor("images", DType::kF32, {2, 3, 8, 8})), ContainsSubstring("images are 2x3x8x8"));
  CHECK_THAT(failure(Tensor("images", DType::kF32, {0, 2, 3, 8, 8})), ContainsSubstring("images are 0x2"));
  CHECK_THAT(failure(Tensor("labels", DType::kI64, {2, 2})), ContainsSubstring("labels 2x2"));
  CHECK_THAT(failure([](SafetensorsFile&) {}), ContainsSubstring("no tensor 'init."));
}

TEST_CASE("malformed derivation cases are data errors", "[selftest]") {
  const auto failure = [](const std::string& stage) {
    try {
      search::CheckDerivationCases(R"({"cases": [{"stages": [)" + stage + "]}]}", "derivation.json");
    } catch (const base::Error& error) {
      CHECK(error.code() == base::ExitCode::kData);
      CHECK(error.where() == "derivation.json");
      return error.message();
    }
    return std::string("no error");
  };
  CHECK_THAT(failure("]"), ContainsSubstring("not a file of derivation cases"));
  CHECK_THAT(failure(R"({"alphas_normal": [[1, 2]], "alphas_reduce": [[1]]})"), ContainsSubstring("do not fit"));
  CHECK_THAT(failure(R"({"alphas_normal": [["x"]], "alphas_reduce": [[1]]})"),
             ContainsSubstring("type must be number"));
}

}  // namespace
}  // namespace pdarts::selftest
