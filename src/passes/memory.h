// Where every value lies: in its slot, in an input, or at an offset of the one arena of temporaries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "passes/layout.h"

namespace pdarts::passes {

enum class Area : uint8_t {
  kTemporary,  // `offset` bytes from the start of the arena
  kSlot,       // the storage of slot `index` of the graph
  kInput,      // the memory bound to the graph's input that node `index` stands for
};

struct Place {
  Area area = Area::kTemporary;
  int32_t index = 0;  // kSlot: SlotId; kInput: NodeId
  size_t offset = 0;  // kTemporary; a multiple of device::kAlignment
  size_t bytes = 0;
};

struct ByteRange {
  size_t offset = 0, bytes = 0;
};

struct MemoryPlan {
  std::vector<Place> places;                  // by value
  std::vector<ByteRange> workspaces;          // by step; 0 bytes: none
  std::vector<std::vector<ByteRange>> freed;  // by step: what nobody needs after it
  size_t temporary_bytes = 0;                 // the arena
  size_t live_bytes = 0;                      // the most that is alive at once: no placement in this order needs less
};

// Large buffers of one size, one after another, would all begin at the same place of a page and of a way of the second
// cache, and a kernel that reads many of them side by side would push out what it has asked for. A gap behind each
// moves the next by half a way, where that is 128 KiB, and some lines.
constexpr size_t kLargeBuffer = size_t{1} << 20, kGapBehindLarge = (size_t{64} << 10) + 5 * device::kAlignment;

// Leaves and what is assigned lie in inputs and slots (see PlaceAssignments). An output takes the memory of an input
// that dies with the step where the kernel allows it. Of the rest, the largest is placed first, each in the smallest
// gap that fits among what lives at the same time; behind large ones some bytes stay free. With `no_reuse` nothing
// shares memory. `bytes` by value.
MemoryPlan PlanMemory(const LaidOut& laid_out, std::span<const ir::NodeId> order, std::span<const size_t> bytes,
                      bool no_reuse);

// An independent look at a memory plan: the first fault found ("%7 and %12 overlap at step 31"), or "" where no two
// live values overlap, every operand lies inside its area, and nothing is read before it was made or after its slot was
// overwritten.
std::string FindMemoryFault(const LaidOut& laid_out, std::span<const ir::NodeId> order, std::span<const size_t> bytes,
                            const MemoryPlan& plan);

}  // namespace pdarts::passes
