// Checks files of reference vectors made by running the published PyTorch implementation in float64. Everything a check
// needs comes from the file's own metadata and tensors, so any file of the format will do. A missing or malformed field
// is a data error naming it.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "device/backend.h"
#include "nn/step_graphs.h"
#include "plan/plan.h"
#include "selftest/comparison.h"
#include "tensor/safetensors.h"

namespace pdarts::selftest {

struct VectorFile {
  std::string name;  // for messages
  tensor::SafetensorsFile content;

  const std::string& Meta(const std::string& key) const;
  double Number(const std::string& key) const;                // finite
  int64_t Count(const std::string& key, int64_t most) const;  // a whole number from 1 to `most`
  nlohmann::json Json(const std::string& key) const;
};

inline constexpr double kF64Operation = 1e-10, kF32Operation = 1e-5;
// Trajectories: everything in f64; in f32 the first loss and logits.
inline constexpr double kF64Trajectory = 1e-8, kF32FirstForward = 1e-4;
// First gradients in f32: every one against the file, or else against f64 with near ties turned.
inline constexpr double kF32FirstGradient = 2e-3;

struct Checker {
  device::Backend& backend;
  Precision precision;
  device::Backend& exact;  // the ref backend, which tells what f32 may decide the other way
  plan::CompileOptions compile{};

  tensor::DType dtype() const { return precision == Precision::kF64 ? tensor::DType::kF64 : tensor::DType::kF32; }
};

// Single operations: y, dx, dparam.*, running.*, y_eval of every case.
void CheckOperations(const VectorFile& file, const Checker& checker, Report& report);
// The supernet: first forward and backward, steps, final state, evaluation. In f32 later steps are noted only, since
// such networks amplify rounding from step to step.
void CheckSearchTrajectory(const VectorFile& file, const Checker& checker, Report& report);
// The evaluation networks, with the same tolerances.
void CheckEvaluationTrajectory(const VectorFile& file, const Checker& checker, Report& report);

// What the metadata of the two kinds of trajectory say of the network, checked against what a network can be.
nn::SearchNetworkSpec ReadSearchNetwork(const VectorFile& file);
nn::EvaluationNetworkSpec ReadEvaluationNetwork(const VectorFile& file);
// Batch size, image size and, of evaluation networks, the rates; "images" and "labels" have the shapes and classes that
// go with them.
nn::StepOptions ReadStepOptions(const VectorFile& file, tensor::DType dtype);

// Checks the file by its kind ("ops", "search", "evaluation"; a .json is a list of derivation cases).
Report CheckFile(const std::filesystem::path& path, const Checker& checker);

}  // namespace pdarts::selftest
