// Whatever the text, a table's spec whose references can all be followed, or a data error.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "experiment/spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  try {
    const experiment::TableSpec table =
        experiment::ParseTableSpec({reinterpret_cast<const char*>(data), size}, "input");
    for (const experiment::RowSpec& row : table.rows) {
      if (row.status == experiment::CellStatus::kPublished && !table.cells.contains(row.cell)) std::abort();
      if (row.status == experiment::CellStatus::kSearched) table.Column(row.search);
      for (const experiment::EntrySpec& entry : row.entries) table.Column(entry.column);
    }
    for (const auto& [name, level] : table.levels) experiment::ToJson(table.Level(name).search).dump();
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kData) std::abort();
  }
  return 0;
}
