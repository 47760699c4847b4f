// The reference files against the ref backend in f64 and the cpu backend in f32: the proof of the semantics.
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "backends/cpu/cpu_backend.h"
#include "backends/ref/ref_backend.h"
#include "selftest/turned_gradients.h"
#include "support/files.h"
#include "support/kernel_cases.h"
#include "support/temp_folder.h"

namespace pdarts::selftest {
namespace {

void CheckAll(device::Backend& backend, Precision precision, const std::vector<std::string>& names) {
  const auto ref = backends::NewRefBackend();
  for (const std::string& name : names) {
    const auto path = test::Shared("golden/" + name);
    if (!path) SKIP("the shared reference files are absent");
    const Report report = CheckFile(*path, {backend, precision, *ref});
    std::string lines;
    for (const std::string& failure : report.failures) lines += failure + "\n";
    INFO(name << ": " << report.compared << " tensors, worst " << report.worst << " " << report.worst_tensor << "\n"
              << lines);
    CHECK(report.ok());
  }
}

TEST_CASE("operations and derivations match the published implementation", "[golden]") {
  const auto ref = backends::NewRefBackend();
  CheckAll(*ref, Precision::kF64, {"ops.safetensors", "derivation.json"});
}

TEST_CASE("search trajectories match the published implementation", "[golden][slow]") {
  const auto ref = backends::NewRefBackend();
  CheckAll(*ref, Precision::kF64,
           {"search_stage1.safetensors", "search_stage2.safetensors", "search_stage3.safetensors"});
}

TEST_CASE("evaluation trajectories match the published implementation", "[golden][slow]") {
  const auto ref = backends::NewRefBackend();
  CheckAll(*ref, Precision::kF64, {"eval_cifar_pdarts.safetensors", "eval_cifar_darts_v2.safetensors"});
}

TEST_CASE("the ImageNet network matches the published implementation", "[golden][slow]") {
  const auto ref = backends::NewRefBackend();
  CheckAll(*ref, Precision::kF64, {"eval_imagenet_pdarts.safetensors"});
}

TEST_CASE("the cpu backend in f32 matches the published implementation", "[golden]") {
  const auto cpu = backends::NewCpuBackend();
  CheckAll(*cpu, Precision::kF32, {"ops.safetensors", "search_stage1.safetensors", "eval_cifar_darts_v2.safetensors"});
}

TEST_CASE("all trajectories match in f32 on every instruction set", "[golden][slow]") {
  kernels::test::ForEachIsa([](kernels::Isa isa) {
    INFO(kernels::IsaName(isa));
    const auto cpu = backends::NewCpuBackend();
    CheckAll(*cpu, Precision::kF32,
             {"search_stage1.safetensors", "search_stage2.safetensors", "search_stage3.safetensors",
              "eval_cifar_pdarts.safetensors", "eval_cifar_darts_v2.safetensors", "eval_imagenet_pdarts.safetensors"});
  });
}

// The reference kernels in f32, whose rounding is the same everywhere, decide one near tie of this file the other way.
TEST_CASE("a near tie that f32 turns is found", "[golden][slow]") {
  const auto path = test::Shared("golden/search_stage2.safetensors");
  if (!path) SKIP("the shared reference files are absent");
  const auto ref = backends::NewRefBackend();
  const Report report = CheckFile(*path, {*ref, Precision::kF32, *ref});
  CHECK(report.ok());
  CHECK(std::ranges::count_if(report.notes, [](const std::string& n) { return n.find("turned: ") != n.npos; }) == 1);
}

// The report on a copy of search_stage1 with some of its tensors changed.
template <class F>
Report OnChanged(const std::filesystem::path& path, F&& change) {
  const test::TempFolder folder;
  tensor::SafetensorsFile file = tensor::ReadSafetensors(path);
  change(file.tensors);
  tensor::WriteSafetensors(folder.path() / "f.safetensors", file);
  const auto cpu = backends::NewCpuBackend(), ref = backends::NewRefBackend();
  return CheckFile(folder.path() / "f.safetensors", {*cpu, Precision::kF32, *ref});
}

TEST_CASE("a file with one wrong gradient is off, with none or with one of no parameter a data error",
          "[golden][slow]") {
  const auto path = test::Shared("golden/search_stage1.safetensors");
  if (!path) SKIP("the shared reference files are absent");
  const auto is_gradient = [](const std::string& name) { return name.starts_with("first.grad."); };
  const Report wrong = OnChanged(*path, [&](auto& tensors) {
    auto it = tensors.begin();
    while (!is_gradient(it->first)) ++it;
    std::vector<double> values = it->second.ToDoubles();
    for (double& value : values) value *= 1.25;
    it->second = tensor::HostTensor::FromDoubles({tensor::DType::kF64, it->second.shape()}, values);
  });
  REQUIRE(wrong.failures.size() == 1);
  CHECK(wrong.failures[0].find("f64 is off the file's by 0.2,") != std::string::npos);
  CHECK_THROWS_AS(OnChanged(*path,
                            [&](auto& tensors) {
                              std::erase_if(tensors, [&](const auto& item) { return is_gradient(item.first); });
                            }),
                  base::Error);
  CHECK_THROWS_AS(
      OnChanged(*path, [&](auto& tensors) { tensors["first.grad.stem.9.weight"] = tensors.at("first.loss"); }),
      base::Error);
}

// One gradient three thousandths too long, as a kernel with a wrong factor would have it.
TEST_CASE("turned near ties do not add up to a wrong gradient", "[golden][slow]") {
  const auto path = test::Shared("golden/eval_cifar_darts_v2.safetensors");
  if (!path) SKIP("the shared reference files are absent");
  const auto ref = backends::NewRefBackend();
  const VectorFile file{path->string(), tensor::ReadSafetensors(*path)};
  const FirstGraphs graphs = [&](tensor::DType dtype) {
    return std::vector{nn::WeightsStep(ReadEvaluationNetwork(file), ReadStepOptions(file, dtype))};
  };
  Gradients right;
  for (const auto& [name, gradient] : file.content.tensors)
    if (name.starts_with("first.grad.")) right[name] = gradient.ToDoubles();
  Gradients wrong = right, infinite = right;
  for (double& value : wrong.begin()->second) value *= 1.003;
  infinite.begin()->second[0] = std::numeric_limits<double>::infinity();
  const Checker checker{*ref, Precision::kF32, *ref};
  const TurnedGradients of_right = TurnNearTies(file, checker, graphs, right);
  CHECK(of_right.Explains());
  CHECK(of_right.looked_at == 0);
  const TurnedGradients of_wrong = TurnNearTies(file, checker, graphs, wrong);
  CHECK_FALSE(of_wrong.Explains());
  CHECK(of_wrong.ExactHolds());
  CHECK(of_wrong.looked_at > 10);
  CHECK(of_wrong.errors.worst > 2e-3);
  const TurnedGradients of_infinite = TurnNearTies(file, checker, graphs, infinite);
  CHECK_FALSE(of_infinite.Explains());
  CHECK(of_infinite.looked_at == 0);
}

}  // namespace
}  // namespace pdarts::selftest
