// Whatever the text, JSON or not, a genotype that survives being written and read again, or a usage error.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "search/genotype.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  const nlohmann::json value = nlohmann::json::parse(data, data + size, nullptr, false);
  if (value.is_discarded()) return 0;
  try {
    const search::Genotype genotype = search::GenotypeFromJson(value, "input");
    if (search::GenotypeFromJson(search::ToJson(genotype), "again") != genotype) std::abort();
    if (search::ParseGenotype(search::ToString(genotype)) != genotype) std::abort();
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kUsage) std::abort();
  }
  return 0;
}
