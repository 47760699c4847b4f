// Options that several verbs share: one name and one meaning everywhere. A verb holds the groups it takes, changes
// defaults where it must, and adds them to its OptionSet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/option_set.h"

namespace pdarts::cli {

// What --arch and the like take.
inline constexpr const char* kArchitectureHelp =
    "the name of a published cell (PDARTS_CIFAR10, DARTS_V2, ...), a file with a genotype, or 'Genotype(...)'";

struct DataOptions {
  std::string dataset = "synthetic";               // cifar10, cifar100, synthetic, or a path
  std::optional<std::string> data;                 // archive or folder of the named dataset
  std::optional<int64_t> train_limit, test_limit;  // the first N images of each split
  void AddTo(OptionSet& options);
};

struct RunOptions {
  std::string out;  // folder of the run; a verb sets its default
  bool resume = false;
  uint64_t seed = 0;
  void AddTo(OptionSet& options);
};

struct MachineOptions {
  std::optional<int> threads;
  int workers = 2;
  std::string device = "auto", isa = "auto";
  // `reads_images`: the verb has a loader, whose threads --workers counts.
  void AddTo(OptionSet& options, bool reads_images = true);
  // Calls base::SetThreads: --threads, or OMP_NUM_THREADS, or the cores this process may use. Call before anything is
  // compiled.
  void ApplyThreads() const;
};

struct OutputOptions {
  bool json = false;
  void AddTo(OptionSet& options);
};

}  // namespace pdarts::cli
