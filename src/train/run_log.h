// Reads the logs of a run's folder back: its epochs and, of a search, the alphas of every epoch.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "draw/curves.h"
#include "search/search_space.h"

namespace pdarts::train {

// The epochs of metrics.jsonl. Held out is a search's validation or a training's test. A data error names the line that
// is malformed.
std::vector<draw::EpochPoint> ReadEpochs(const std::filesystem::path& metrics);

// A line of alphas.jsonl: what a stage's alphas were at the end of an epoch, and the operations they stand for.
struct AlphaEpoch {
  int stage = 0, epoch = 0;  // from 1
  search::Switches switches;
  search::Alphas alphas;
};

inline constexpr const char* kAlphasFile = "alphas.jsonl";

nlohmann::ordered_json ToJson(const AlphaEpoch& epoch);

// All lines; at least one. A data error names the line that is malformed, or has alphas that do not fit its operations.
std::vector<AlphaEpoch> ReadAlphas(const std::filesystem::path& file);

// The last line's, which must be of the last stage: a cell follows from no other. A data error says how far the search
// came.
AlphaEpoch LastAlphas(const std::filesystem::path& file);

}  // namespace pdarts::train
