// Batches made ahead of their use by worker threads, in an order that depends on nothing but seed, epoch and batch
// number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data/augment.h"
#include "data/dataset.h"

namespace pdarts::data {

// n images ready for the network.
struct Batch {
  int n = 0;
  std::vector<float> images;    // n x height x width x 3, normalised
  std::vector<int32_t> labels;  // n
};

struct LoaderOptions {
  std::shared_ptr<const Dataset> dataset;
  std::vector<int64_t> indices;  // the images to draw from, such as one half of the training split; empty: all
  int batch_size = 96;
  bool shuffle = true;  // by (seed, epoch, number); false: in the order of `indices`
  bool augment = true;  // false: normalise only
  AugmentOptions augmentation;
  bool photographs = false;  // augment by ImageNet's transform (imagenet.h) instead of `augmentation`
  uint64_t seed = 0;
  uint32_t number = 0;  // of this loader among those of the run, see EpochOrder
  int workers = 1;      // threads; 0: batches are made in Next, by its caller
  int slots = 4;        // batches held ready at most, at least 1
};

// Owned and used by one thread. Its whole state is epoch and batch: a loader started at (epoch, batch) goes on exactly
// as one that ran there.
class Loader {
 public:
  explicit Loader(LoaderOptions options);
  ~Loader();

  // Begins an epoch at batch `first_batch`, dropping what was made ahead.
  void StartEpoch(uint32_t epoch, int64_t first_batch = 0);

  // The next batch, or null at the end of the epoch; valid until the next call. The last batch may be smaller. Throws
  // what making the batch threw (an unreadable or damaged image); the epoch must then be started anew.
  const Batch* Next();

  int64_t BatchesPerEpoch() const;
  int64_t ImagesPerEpoch() const;
  int64_t next_batch() const;    // the number of the batch Next will return
  double SecondsWaited() const;  // spent in Next since the loader was made: the network's idle time

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pdarts::data
