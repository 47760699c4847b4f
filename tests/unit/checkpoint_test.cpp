#include "train/checkpoint.h"

#include "backends/cpu/cpu_backend.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sources_digest.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/temp_folder.h"

namespace pdarts::train {
namespace {

using Catch::Matchers::ContainsSubstring;

Checkpoint Example() {
  Checkpoint checkpoint{.kind = "search", .signature = "cpu avx2 2 threads", .state = R"({"epoch":3})"};
  const tensor::TensorDesc weights{tensor::DType::kF32, {2, 3}}, count{tensor::DType::kF64, {1}};
  const double values[] = {1, -2, 3.5, 0, 1e-8, 6}, one[] = {7};
  checkpoint.slots["stem.0.weight"] = tensor::HostTensor::FromDoubles(weights, values);
  checkpoint.slots["adam.count"] = tensor::HostTensor::FromDoubles(count, one);
  return checkpoint;
}

SlotDescs Descs(const Checkpoint& checkpoint) {
  SlotDescs descs;
  for (const auto& [name, slot] : checkpoint.slots) descs[name] = slot.desc();
  return descs;
}

bool IsRefused(std::string_view bytes) {
  try {
    ParseCheckpoint(bytes, "here");
  } catch (const base::Error& error) {
    return error.code() == base::ExitCode::kData && !error.remedy().empty();
  }
  return false;
}

TEST_CASE("a checkpoint comes back as it was, and has one form", "[train]") {
  const test::TempFolder temp;
  const auto path = temp.path() / "checkpoint.safetensors";
  WriteCheckpoint(path, Example());
  const Checkpoint read = ReadCheckpoint(path);
  CHECK(read.kind == "search");
  CHECK(read.signature == "cpu avx2 2 threads");
  CHECK(read.state == R"({"epoch":3})");
  CHECK(read.slots.at("stem.0.weight").ToDoubles() == Example().slots.at("stem.0.weight").ToDoubles());
  CHECK(Serialize(read) == base::ReadFile(path));
}

TEST_CASE("a checkpoint cut short anywhere is refused", "[train]") {
  const std::string bytes = Serialize(Example());
  for (size_t length = 0; length < bytes.size(); ++length) CHECK(IsRefused(std::string_view(bytes).substr(0, length)));
  CHECK(IsRefused(bytes + "x"));
}

TEST_CASE("a checkpoint with any bit flipped is refused", "[train]") {
  const std::string bytes = Serialize(Example());
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string changed = bytes;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    INFO("bit " << i);
    CHECK(IsRefused(changed));
  }
}

TEST_CASE("a checkpoint of another network is refused with the first difference", "[train]") {
  const Checkpoint checkpoint = Example();
  SlotDescs descs = Descs(checkpoint);
  CHECK_NOTHROW(CheckSlots(checkpoint.slots, descs, "here"));
  descs["stem.0.weight"].shape = {2, 4};
  CHECK_THROWS_WITH(CheckSlots(checkpoint.slots, descs, "here"),
                    ContainsSubstring("'stem.0.weight' is f32 2x3, the network's is f32 2x4"));
  descs = Descs(checkpoint);
  descs["cells.0"] = {};
  CHECK_THROWS_WITH(CheckSlots(checkpoint.slots, descs, "here"), ContainsSubstring("has no tensor 'cells.0'"));
  descs = Descs(checkpoint);
  descs.erase("adam.count");
  CHECK_THROWS_WITH(CheckSlots(checkpoint.slots, descs, "here"),
                    ContainsSubstring("the network has no tensor 'adam.count'"));
  CHECK_NOTHROW(CheckKind(checkpoint, "search", "here"));
  CHECK_THROWS_WITH(CheckKind(checkpoint, "training", "here"), ContainsSubstring("of a search, not of a training"));
}

TEST_CASE("the cpu's signature tells builds apart", "[train]") {
  const std::string digest = base::SourcesDigest();
  CHECK(digest.size() == 12);
  CHECK(digest.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(backends::NewCpuBackend()->Signature().ends_with(" sources=" + digest));
}

TEST_CASE("another signature is refused unless allowed, and then remembered", "[train]") {
  CHECK(ContinueSignature("a", "a", false, "here") == "a");
  CHECK_THROWS_WITH(ContinueSignature("a", "b", false, "here"), ContainsSubstring("--allow-signature-change"));
  const std::string both = ContinueSignature("a", "b", true, "here");
  CHECK(both == "a > b");
  CHECK(SignatureChanged(both));
  CHECK_FALSE(SignatureChanged("a"));
  CHECK(ContinueSignature(both, "b", false, "here") == both);
  CHECK_THROWS(ContinueSignature(both, "a", false, "here"));
}

}  // namespace
}  // namespace pdarts::train
