// The units of work. A task is keyed by everything that decides its result, so a finished one is found again wherever
// it was needed, and a changed setting makes another task.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "experiment/spec.h"

namespace pdarts::experiment {

// Data as a task sees them.
struct DatasetUse {
  std::string name;            // what data::OpenDataset takes: "cifar10", "synthetic100", a path
  std::filesystem::path data;  // archive or folder; may be empty. Not part of the key: the digest is.
  std::string digest;          // data::DatasetDigest
  int64_t train_images = 0, test_images = 0;
  int classes = 10;
};

// What all tasks of one run share.
struct TaskContext {
  std::string version;  // of pdarts
  std::string backend;  // "cpu"
  std::string recipe;   // "paper" or "released"
};

struct SearchTask {
  TaskContext context;
  DatasetUse dataset;
  SearchSettings settings;
  uint64_t seed = 0;
  std::filesystem::path folder;  // the engine's own run folder; resumed where it exists. Not part of the key.
};

struct TrainTask {
  TaskContext context;
  DatasetUse dataset;
  std::string genotype;   // JSON
  std::string arch_name;  // for people; not part of the key
  TrainSettings settings;
  int channels = 36;  // the width of the two in `settings` that this task takes
  uint64_t seed = 0;
  std::filesystem::path folder;
};

struct CountTask {
  TaskContext context;
  std::string genotype;
  int channels = 36, cells = 20, classes = 10;
};

// The canonical JSON (sorted keys, no blanks) whose SHA-256 is the task's key.
std::string Inputs(const SearchTask& task);
std::string Inputs(const TrainTask& task);
std::string Inputs(const CountTask& task);

}  // namespace pdarts::experiment
