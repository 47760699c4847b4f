// The folder a run writes (--out): its configuration, its logs of lines, its checkpoint. One run a folder, never
// overwritten.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pdarts::train {

class RunFolder {
 public:
  // New run: makes the folder; a data error where it exists and is not empty, or cannot be written. Writes config.json.
  // resume: the stored configuration must equal `config` but for the keys in `may_differ`, else a usage error names the
  // first that differs. A folder that is missing, empty, or holds no config.json because the run was killed at once is
  // begun anew.
  RunFolder(std::filesystem::path path, const nlohmann::ordered_json& config, bool resume,
            const std::vector<std::string>& may_differ);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path File(std::string_view name) const { return path_ / name; }
  bool HasCheckpoint() const;

  // A log of lines (JSON Lines): appends one and syncs it.
  void AppendLine(std::string_view file, const nlohmann::ordered_json& line) const;

  // The sum of "seconds" over metrics.jsonl: the time of the epochs that ended, in all processes of the run.
  double LoggedSeconds() const;

  // Cuts the log to its first `lines` lines: what was written after the checkpoint goes. A data error where it has
  // fewer.
  void CutLines(std::string_view file, int64_t lines) const;

 private:
  std::filesystem::path path_;
};

// What a resumed run may be given anew: none of it changes a result. Where the images lie does not matter as long as
// data_digest is the same; what --arch was called, as long as the genotype is; and the checkpoint's signature, not the
// configuration, says which device, instruction set and threads may go on.
inline const std::vector<std::string> kMayDiffer = {"workers", "data", "arch", "device", "isa", "threads"};

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kCheckpointFile = "checkpoint.safetensors";
inline constexpr const char* kMetricsFile = "metrics.jsonl";

// The configuration stored with a run. A data error where there is none or it is not JSON.
nlohmann::ordered_json ReadConfig(const std::filesystem::path& run_folder);

}  // namespace pdarts::train
