// What comes with the binary: the tables' specs and the stored records.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/reproduce.h"

namespace pdarts::experiment {

std::vector<std::string> TableNames();

// A usage error that names the nearest table, or all, where there is none of this name.
TableSpec FindTable(const std::string& id);

const StoredRecords& Stored();

// Judges the run in a folder from its records alone. A data error where there is no run, or a malformed record.
TableResult LoadResult(const std::filesystem::path& folder);

}  // namespace pdarts::experiment
