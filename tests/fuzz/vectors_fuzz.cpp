// Any bytes as a file of reference vectors or of derivation cases: a report, or an error of the user's. Single
// operations run in full; of the networks, what the file says of them is read and checked, since running one takes too
// long here.
#include <cstdlib>

#include "backends/ref/ref_backend.h"
#include "base/error.h"
#include "search/derivation_cases.h"
#include "selftest/vectors.h"

namespace {

using namespace pdarts;

void Check(std::string_view bytes) {
  if (bytes.starts_with('{')) {
    search::CheckDerivationCases(bytes, "input");
    return;
  }
  static const std::unique_ptr<device::Backend> ref = backends::NewRefBackend();
  const selftest::VectorFile file{"input", tensor::ParseSafetensors(bytes, "input")};
  selftest::Report report;
  const std::string& kind = file.Meta("kind");
  if (kind == "ops") CheckOperations(file, {*ref, selftest::Precision::kF64, *ref}, report);
  if (kind == "search") {
    ReadSearchNetwork(file);
    ReadStepOptions(file, tensor::DType::kF64);
  }
  if (kind == "evaluation") {
    ReadEvaluationNetwork(file);
    ReadStepOptions(file, tensor::DType::kF64);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    Check({reinterpret_cast<const char*>(data), size});
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kData && error.code() != base::ExitCode::kUsage) std::abort();
  }
  return 0;
}
