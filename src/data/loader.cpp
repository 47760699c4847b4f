#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "data/imagenet.h"
#include "data/sampler.h"

namespace pdarts::data {
namespace {

struct Slot {
  Batch batch;
  std::exception_ptr error;
  bool ready = false;
};

}  // namespace

struct Loader::State {
  explicit State(LoaderOptions given) : options(std::move(given)), normalise(options.dataset->info()) {}

  void Fill(int64_t batch_number, Batch& batch) const;
  void Work();
  void FillSlot(std::unique_lock<std::mutex>& lock, int64_t batch_number);

  LoaderOptions options;
  const Normaliser normalise;
  int64_t batches = 0;
  double seconds_waited = 0;

  // Guarded by the mutex from the first worker on. Batch b lives in slot b % slots; [next, claimed) is made or being
  // made, and a batch may be claimed while its slot is free, that is below released + slots.
  std::mutex mutex;
  std::condition_variable work_ready, batch_ready;
  std::vector<int64_t> order;
  std::vector<Slot> slots;
  uint32_t epoch = 0;
  int64_t next = 0, claimed = 0, released = 0;
  int working = 0;
  bool stopping = false;
  std::vector<std::thread> threads;
};

void Loader::State::Fill(int64_t batch_number, Batch& batch) const {
  const Dataset& dataset = *options.dataset;
  const int64_t begin = batch_number * options.batch_size;
  batch.n = static_cast<int>(std::min<int64_t>(options.batch_size, static_cast<int64_t>(order.size()) - begin));
  const int64_t image_size = dataset.info().image_bytes();
  batch.images.resize(static_cast<size_t>(batch.n * image_size));
  batch.labels.resize(static_cast<size_t>(batch.n));
  std::vector<uint8_t> pixels(static_cast<size_t>(image_size));
  for (int i = 0; i < batch.n; ++i) {
    const int64_t index = order[begin + i];
    float* out = batch.images.data() + i * image_size;
    batch.labels[i] = dataset.Label(index);
    if (options.augment && options.photographs) {
      const Image original = dataset.ReadOriginal(index);
      const ImageNetDraw draw = DrawImageNet({original.height, original.width}, options.seed, epoch, index);
      const Image image = ImageNetTrainImage(original, draw, dataset.info().height);
      normalise.Apply(image.pixels.data(), image_size / 3, out);
      continue;
    }
    dataset.Read(index, pixels.data());
    if (options.augment) {
      const AugmentDraw draw = DrawAugment(options.augmentation, dataset.info(), options.seed, epoch, index);
      AugmentInto(pixels.data(), dataset.info(), normalise, options.augmentation, draw, out);
    } else {
      normalise.Apply(pixels.data(), image_size / 3, out);
    }
  }
}

void Loader::State::FillSlot(std::unique_lock<std::mutex>& lock, int64_t batch_number) {
  Slot& slot = slots[batch_number % static_cast<int64_t>(slots.size())];
  ++working;
  lock.unlock();
  std::exception_ptr error;
  try {
    Fill(batch_number, slot.batch);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  --working;
  slot.error = error;
  slot.ready = true;
  batch_ready.notify_all();
}

void Loader::State::Work() {
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    work_ready.wait(lock, [this] {
      return stopping || (claimed < batches && claimed < released + static_cast<int64_t>(slots.size()));
    });
    if (stopping) return;
    FillSlot(lock, claimed++);
  }
}

Loader::Loader(LoaderOptions options) {
  PD_CHECK(options.dataset != nullptr && options.batch_size >= 1 && options.workers >= 0 && options.slots >= 1);
  if (options.indices.empty()) options.indices = IndexRange(0, options.dataset->Size());
  for (const int64_t index : options.indices) {
    PD_CHECK(index >= 0 && index < options.dataset->Size(), "image {} of {}", index, options.dataset->Size());
  }
  state_ = std::make_unique<State>(std::move(options));
  State& state = *state_;
  // One slot more than are made ahead: the batch that Next handed out stays untouched while the others fill.
  state.slots.resize(static_cast<size_t>(state.options.workers == 0 ? 1 : state.options.slots + 1));
  for (int i = 0; i < state.options.workers; ++i) state.threads.emplace_back([&state] { state.Work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work_ready.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

void Loader::StartEpoch(uint32_t epoch, int64_t first_batch) {
  State& state = *state_;
  PD_CHECK(first_batch >= 0 && first_batch <= BatchesPerEpoch(), "batch {} of {}", first_batch, BatchesPerEpoch());
  std::unique_lock<std::mutex> lock(state.mutex);
  state.claimed = state.batches;  // nothing more is claimed
  state.batch_ready.wait(lock, [&state] { return state.working == 0; });
  const LoaderOptions& options = state.options;
  state.order = options.shuffle ? EpochOrder(options.seed, epoch, options.number, options.indices) : options.indices;
  for (Slot& slot : state.slots) slot.ready = false;
  state.epoch = epoch;
  state.next = state.claimed = state.released = first_batch;
  state.batches = BatchesPerEpoch();
  lock.unlock();
  state.work_ready.notify_all();
}

const Batch* Loader::Next() {
  State& state = *state_;
  if (state.next == state.batches) return nullptr;
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock<std::mutex> lock(state.mutex);
  const int64_t number = state.next++;
  Slot& slot = state.slots[number % static_cast<int64_t>(state.slots.size())];
  if (number > state.released) {  // the batch handed out before this one
    state.slots[state.released % static_cast<int64_t>(state.slots.size())].ready = false;
    state.released = number;
    state.work_ready.notify_all();
  }
  if (state.options.workers == 0) {
    state.FillSlot(lock, number);
  } else {
    state.batch_ready.wait(lock, [&slot] { return slot.ready; });
  }
  state.seconds_waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (slot.error) std::rethrow_exception(slot.error);
  return &slot.batch;
}

int64_t Loader::ImagesPerEpoch() const { return static_cast<int64_t>(state_->options.indices.size()); }

int64_t Loader::BatchesPerEpoch() const {
  return (ImagesPerEpoch() + state_->options.batch_size - 1) / state_->options.batch_size;
}

int64_t Loader::next_batch() const { return state_->next; }

double Loader::SecondsWaited() const { return state_->seconds_waited; }

}  // namespace pdarts::data
