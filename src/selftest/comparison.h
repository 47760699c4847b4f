// What a check of one reference file found.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace pdarts::selftest {

enum class Precision { kF64, kF32 };

// The relative error |a - b| / |b| in the Euclidean norm; |a - b| where b is zero; infinite where a is not finite.
double RelativeError(std::span<const double> actual, std::span<const double> expected);

// The relative errors of a group of tensors; all zero where there is none.
struct GroupErrors {
  size_t tensors = 0;
  double median = 0, worst = 0;

  static GroupErrors Of(std::vector<double> errors);
};

struct Report {
  std::string file, kind;
  int compared = 0;  // tensors
  double worst = 0;  // of those held to a tolerance
  std::string worst_tensor;
  std::vector<std::string> failures;  // one line each
  std::vector<std::string> notes;     // figures that are reported without a verdict

  bool ok() const { return failures.empty() && compared > 0; }
};

// Collects comparisons into a report. A data error where the file's tensor has another number of elements.
class Comparison {
 public:
  explicit Comparison(Report& report) : report_(report) {}

  // Holds the tensor to the tolerance.
  void Check(const std::string& name, std::span<const double> actual, const tensor::HostTensor& expected,
             double tolerance);
  // Counted and gathered, without a verdict but that it must be finite.
  void AddToGroup(const std::string& name, std::span<const double> actual, const tensor::HostTensor& expected);
  // Notes what has been gathered under this name, and begins anew.
  GroupErrors EndGroup(const std::string& group);
  void Note(const std::string& line) { report_.notes.push_back(line); }
  void Fail(const std::string& line) { report_.failures.push_back(line); }

 private:
  double Error(const std::string& name, std::span<const double> actual, const tensor::HostTensor& expected) const;

  Report& report_;
  std::vector<double> group_;
};

}  // namespace pdarts::selftest
