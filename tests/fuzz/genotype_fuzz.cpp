// Whatever the text, parsing gives a genotype that survives being printed and read again, or a usage error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "search/genotype.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  try {
    const search::Genotype genotype = search::ParseGenotype({reinterpret_cast<const char*>(data), size});
    if (search::ParseGenotype(search::ToString(genotype)) != genotype) std::abort();
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kUsage) std::abort();
  }
  return 0;
}
