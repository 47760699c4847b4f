#include "plan/storage.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace pdarts::plan {
namespace {

// A step walks through gigabytes: with pages of 4 KiB it waits for address translation. Buffers of many huge pages ask
// for these; a kernel that gives none ignores it.
constexpr size_t kHugePage = size_t{2} << 20, kManyHugePages = 8 * kHugePage;

}  // namespace

AlignedBuffer::AlignedBuffer(size_t bytes, const std::string& what) : bytes_(bytes) {
  const size_t alignment = bytes >= kManyHugePages ? kHugePage : device::kAlignment;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (rounded == 0) return;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
  if (!data_) {
    throw base::DeviceError(fmt::format("not enough memory: {} MiB wanted", (bytes >> 20) + 1), what,
                            "use a smaller --batch or --channels");
  }
  if (alignment == kHugePage) ::madvise(data_.get(), rounded, MADV_HUGEPAGE);
  std::memset(data_.get(), 0, rounded);
}

void AlignedBuffer::Free::operator()(std::byte* pointer) const { std::free(pointer); }

tensor::HostTensor TensorView::Copy() const {
  tensor::HostTensor copy(desc);
  std::memcpy(copy.data(), data, bytes());
  return copy;
}

void TensorView::Set(const tensor::HostTensor& from) const {
  PD_CHECK(from.desc() == desc, "{} set from {}", desc.shape.ToString(), from.shape().ToString());
  std::memcpy(data, from.data(), bytes());
}

void ModelStorage::Add(const Plan& plan) {
  for (const ir::Slot& slot : plan.graph().slots()) {
    const auto [it, is_new] = slot_by_name_.try_emplace(slot.name, slots_.size());
    if (is_new) {
      slot_data_.emplace_back(slot.desc.bytes(), "slot " + slot.name);
      slots_.push_back(slot);
      slot_bytes_ += slot.desc.bytes();
    }
    const ir::Slot& stored = slots_[it->second];
    PD_CHECK(stored.desc == slot.desc && stored.role == slot.role, "slot {} differs between plans", slot.name);
  }
  for (const InputInfo& input : plan.inputs()) {
    AlignedBuffer& buffer = inputs_[input.name];
    if (buffer.data() != nullptr && buffer.bytes() >= input.bytes) continue;
    buffer = AlignedBuffer(input.bytes, "input " + input.name);
    ++generation_;
  }
  if (plan.stats().temporary_bytes > temporary_.bytes()) {
    temporary_ = AlignedBuffer();  // the old one goes first, so that both never stand together
    temporary_ = AlignedBuffer(plan.stats().temporary_bytes, "temporary values");
    ++generation_;
  }
}

TensorView ModelStorage::Slot(const std::string& name) {
  const auto it = slot_by_name_.find(name);
  PD_CHECK(it != slot_by_name_.end(), "no slot {}", name);
  return {slots_[it->second].desc, slot_data_[it->second].data()};
}

TensorView ModelStorage::Input(const Plan& plan, const std::string& name) {
  for (const InputInfo& input : plan.inputs())
    if (input.name == name) return {plan.graph().desc(input.value), inputs_.at(name).data()};
  PD_CHECK(false, "no input {}", name);
}

TensorView ModelStorage::Output(const Plan& plan, const std::string& name) {
  const ir::ValueId value = plan.OutputValue(name);
  const Place& place = plan.place(value);
  const tensor::TensorDesc desc = plan.graph().desc(value);
  switch (place.area) {
    case Area::kSlot:
      return {desc, Slot(plan.graph().slots()[place.index].name).data};
    case Area::kInput:
      return {desc, inputs_.at(plan.inputs()[place.index].name).data()};
    case Area::kTemporary:
      break;
  }
  PD_CHECK(place.offset + place.bytes <= temporary_.bytes(), "the plan was not added");
  return {desc, temporary_.data() + place.offset};
}

size_t ModelStorage::input_bytes() const {
  size_t bytes = 0;
  for (const auto& input : inputs_) bytes += input.second.bytes();
  return bytes;
}

}  // namespace pdarts::plan
