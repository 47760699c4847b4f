// The reference files against the ref backend in f64 and the cpu backend in f32: the proof of the semantics.
#include "selftest/vectors.h"

#include <catch2/catch_test_macros.hpp>

#include "backends/cpu/cpu_backend.h"
#include "backends/ref/ref_backend.h"
#include "support/files.h"

namespace pdarts::selftest {
namespace {

void CheckAll(device::Backend& backend, Precision precision, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto path = test::Shared("golden/" + name + ".safetensors");
    if (!path) SKIP("the shared reference files are absent");
    const Report report = CheckFile(*path, {backend, precision});
    for (const std::string& note : report.notes) UNSCOPED_INFO(note);
    for (const std::string& failure : report.failures) UNSCOPED_INFO(failure);
    INFO(name << ": " << report.compared << " tensors, worst " << report.worst << " " << report.worst_tensor);
    CHECK(report.ok());
  }
}

TEST_CASE("single operations match the published implementation", "[golden]") {
  const auto ref = backends::NewRefBackend();
  CheckAll(*ref, Precision::kF64, {"ops"});
  const auto cpu = backends::NewCpuBackend();
  CheckAll(*cpu, Precision::kF32, {"ops"});
}

TEST_CASE("search trajectories match the published implementation", "[golden]") {
  const auto ref = backends::NewRefBackend();
  CheckAll(*ref, Precision::kF64, {"search_stage1", "search_stage2", "search_stage3"});
  const auto cpu = backends::NewCpuBackend();
  CheckAll(*cpu, Precision::kF32, {"search_stage1", "search_stage2", "search_stage3"});
}

}  // namespace
}  // namespace pdarts::selftest
