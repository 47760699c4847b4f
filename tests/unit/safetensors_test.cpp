#include "tensor/safetensors.h"

#include <cstdlib>

#include "base/file.h"
#include "catch2/catch_test_macros.hpp"

namespace pdarts::tensor {
namespace {

std::filesystem::path Shared(const char* name) {
  const char* folder = std::getenv("PDARTS_SHARED");
  return std::filesystem::path(folder ? folder : "../shared") / name;
}

SafetensorsFile Sample() {
  SafetensorsFile file;
  file.metadata = {{"kind", "sample"}, {"note", "\"quoted\" ünïcode"}};
  file.tensors["weight"] =
      HostTensor::FromDoubles({DType::kF32, Shape{2, 3}}, std::vector<double>{1, 2, 3, 4, 5, -6.5});
  file.tensors["batches"] = HostTensor::FromDoubles({DType::kI64, Shape{}}, std::vector<double>{7});
  file.tensors["bytes"] = HostTensor::FromDoubles({DType::kU8, Shape{3}}, std::vector<double>{0, 128, 255});
  file.tensors["mean"] = HostTensor::FromDoubles({DType::kF64, Shape{2}}, std::vector<double>{0.1, 0.2});
  file.tensors["none"] = HostTensor(TensorDesc{DType::kI32, Shape{0, 4}});
  return file;
}

// A file with this header and this many bytes of data.
std::string Raw(const std::string& header, size_t data) {
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size() & 255);
  bytes[1] = static_cast<char>(header.size() >> 8);
  return bytes + header + std::string(data, '\0');
}

// The message of the data error that parsing throws, or "" where it throws none.
std::string Failure(const std::string& bytes) {
  try {
    ParseSafetensors(bytes, "x.safetensors");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    CHECK(error.where() == "x.safetensors");
    CHECK_FALSE(error.remedy().empty());
    return error.message();
  }
  return "";
}

TEST_CASE("safetensors: what is written is read back, byte for byte", "[tensor][safetensors]") {
  const SafetensorsFile file = Sample();
  const std::string bytes = FormatSafetensors(file);
  const SafetensorsFile back = ParseSafetensors(bytes, "memory");
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    CHECK(back.At(name).desc() == tensor.desc());
    CHECK(back.At(name).ToDoubles() == tensor.ToDoubles());
  }
  CHECK(FormatSafetensors(back) == bytes);
  const uint64_t header = static_cast<unsigned char>(bytes[0]) + 256u * static_cast<unsigned char>(bytes[1]);
  CHECK((8 + header) % 8 == 0);
  CHECK(bytes.size() == 8 + header + 8 + 16 + 24 + 3);
}

TEST_CASE("safetensors: a file by path, atomically", "[tensor][safetensors]") {
  const auto path = std::filesystem::temp_directory_path() / "pdarts_safetensors_test.safetensors";
  WriteSafetensors(path, Sample());
  CHECK(ReadSafetensors(path).At("weight").As<float>()[5] == -6.5f);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(ReadSafetensors(path), base::Error);
}

TEST_CASE("safetensors: an absent tensor is named with its nearest", "[tensor][safetensors]") {
  try {
    Sample().At("weigth", "f");
    FAIL("no error");
  } catch (const base::Error& error) {
    CHECK(error.message() == "there is no tensor 'weigth' (nearest: 'weight')");
    CHECK(error.code() == base::ExitCode::kData);
  }
}

TEST_CASE("safetensors: every truncation is refused", "[tensor][safetensors]") {
  const std::string bytes = FormatSafetensors(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK_FALSE(Failure(bytes.substr(0, size)).empty());
  }
  CHECK_FALSE(Failure(bytes + "x").empty());
}

TEST_CASE("safetensors: contradictions in the header are refused", "[tensor][safetensors]") {
  CHECK(Failure(Raw(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8)).empty());
  CHECK(Failure(Raw(R"({})", 0)).empty());
  const std::pair<const char*, const char*> cases[] = {
      {R"([1])", "its header is not a JSON object"},
      {R"({"a":)", "its header is not a JSON object"},
      {R"({"a":3})", "tensor 'a' lacks dtype, shape or data_offsets"},
      {R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", "tensor 'a' has the unsupported dtype \"F16\""},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "tensor 'a' is larger than the data that is there"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", "tensor 'a' has 8 bytes, but its shape needs 4"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
       "the shape of tensor 'a' holds something other than natural numbers"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "the shape of tensor 'a' is not a list of numbers"},
      {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
       "tensor 'a' lies outside the 8 bytes of data that are there"},
      {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[8,0]}})",
       "tensor 'a' lies outside the 8 bytes of data that are there"},
      {R"({"a":{"dtype":"F32","shape":[4294967295,4294967295,4294967295],"data_offsets":[0,8]}})",
       "tensor 'a' is larger than the data that is there"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615,0],"data_offsets":[0,0]}})",
       "tensor 'a' is larger than the data that is there"},
      {R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,2],"data_offsets":[0,8]}})", "tensor 'a' has 6 dimensions"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       "tensor 'a' begins at byte 4 of the data; 0 was expected"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "4 bytes of data belong to no tensor"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
       "tensor 'b' begins at byte 4 of the data; 8 was expected"},
      {R"({"__metadata__":{"a":1}})", "its metadata 'a' is not a string"},
      {R"({"__metadata__":[]})", "its __metadata__ is not a JSON object"},
  };
  for (const auto& [header, message] : cases) CHECK(Failure(Raw(header, 8)) == message);
}

TEST_CASE("safetensors: reads a file that others wrote", "[tensor][safetensors][golden]") {
  const auto path = Shared("golden/ops.safetensors");
  if (!std::filesystem::exists(path)) SKIP("the shared folder is absent: " << path);
  const SafetensorsFile file = ReadSafetensors(path);
  CHECK(file.metadata.at("kind") == "ops");
  CHECK(file.tensors.size() == 480);
  const HostTensor& x = file.At("none.s1.plain.x");
  CHECK(x.desc() == TensorDesc{DType::kF32, Shape{3, 16, 10, 10}});
  const HostTensor& y = file.At("sep_conv_3x3.s2.affine.y");
  CHECK(y.desc() == TensorDesc{DType::kF64, Shape{3, 16, 5, 5}});
  double sum = 0;
  for (double value : file.At("none.s1.plain.y").ToDoubles()) sum += value * value;
  CHECK(sum == 0);
  double power = 0;
  for (double value : y.ToDoubles()) power += value * value;
  CHECK(power > 0);
  const SafetensorsFile back = ParseSafetensors(FormatSafetensors(file), "memory");
  CHECK(back.tensors.size() == 480);
  CHECK(back.At("sep_conv_3x3.s2.affine.y").ToDoubles() == y.ToDoubles());
}

}  // namespace
}  // namespace pdarts::tensor
