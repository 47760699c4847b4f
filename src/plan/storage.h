// The memory of a model: its slots by name, the inputs, and one arena of temporaries shared by all plans of a stage
// (weight step, architecture step, evaluation; full and last batch), which never run at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace pdarts::plan {

// Host memory aligned to device::kAlignment. Throws a device error, naming `what`, where there is not enough.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(size_t bytes, const std::string& what);  // zeroed

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* pointer) const;
  };
  std::unique_ptr<std::byte[], Free> data_;
  size_t bytes_ = 0;
};

// A tensor somewhere in a storage; plain layout for slots and outputs.
struct TensorView {
  tensor::TensorDesc desc;
  std::byte* data = nullptr;

  size_t bytes() const { return desc.bytes(); }
  template <class T>
  std::span<T> As() const {
    PD_CHECK(sizeof(T) == tensor::SizeOf(desc.dtype));
    return {reinterpret_cast<T*>(data), static_cast<size_t>(desc.shape.elements())};
  }
  tensor::HostTensor Copy() const;
  void Set(const tensor::HostTensor& from) const;  // PD_CHECKs that the descs are equal
};

class ModelStorage {
 public:
  ModelStorage() = default;
  ModelStorage(const ModelStorage&) = delete;
  ModelStorage& operator=(const ModelStorage&) = delete;

  // Makes room for the plan: its slots on first sight (zeroed; equal names must have equal descs and roles), its inputs
  // (those of equal name share memory, as large as the largest), the arena (the largest of all plans). Slots never
  // move; inputs and arena may when a larger plan is added, so ask for their pointers after the last Add.
  void Add(const Plan& plan);

  const std::vector<ir::Slot>& slots() const { return slots_; }  // in the order of first sight
  bool HasSlot(const std::string& name) const { return slot_by_name_.contains(name); }
  TensorView Slot(const std::string& name);
  std::byte* SlotData(const std::string& name) { return Slot(name).data; }

  TensorView Input(const Plan& plan, const std::string& name);
  // Where an output of the plan lies. Holds its value from the plan's Run until any plan of this storage runs next.
  TensorView Output(const Plan& plan, const std::string& name);

  std::byte* temporary() { return temporary_.data(); }
  size_t temporary_bytes() const { return temporary_.bytes(); }
  size_t slot_bytes() const { return slot_bytes_; }
  size_t input_bytes() const;
  uint64_t generation() const { return generation_; }  // changes when inputs or the arena moved

 private:
  std::vector<ir::Slot> slots_;
  std::vector<AlignedBuffer> slot_data_;
  std::map<std::string, size_t> slot_by_name_;
  std::map<std::string, AlignedBuffer> inputs_;
  AlignedBuffer temporary_;
  size_t slot_bytes_ = 0;
  uint64_t generation_ = 0;
};

}  // namespace pdarts::plan
