// Whatever the bytes, parsing gives a file that survives being written and read again, or a data error.
#include <cstdint>
#include <cstdlib>

#include "tensor/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  tensor::SafetensorsFile file;
  try {
    file = tensor::ParseSafetensors({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kData) std::abort();
    return 0;
  }
  const std::string bytes = tensor::FormatSafetensors(file);
  if (tensor::FormatSafetensors(tensor::ParseSafetensors(bytes, "again")) != bytes) std::abort();
  return 0;
}
