// Whatever the text, records that survive being written and read again, or a data error.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "experiment/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  try {
    for (const experiment::Record& record :
         experiment::ParseRecords({reinterpret_cast<const char*>(data), size}, "input")) {
      const std::string text = experiment::ToJson(record).dump();
      const std::vector<experiment::Record> again = experiment::ParseRecords(text, "again");
      if (again.size() != 1 || experiment::ToJson(again[0]).dump() != text) std::abort();
    }
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kData) std::abort();
  }
  return 0;
}
