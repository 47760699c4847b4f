// Helpers of the kernel tests: integer-valued data, on which sums and products are exact in any order, and every ISA of
// the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/parallel.h"
#include "base/philox.h"
#include "kernels/isa.h"

namespace pdarts::kernels::test {

// Integers in [-range, range].
inline std::vector<float> Integers(int64_t count, uint32_t id, uint32_t range = 3) {
  base::RandomSequence sequence(7, base::RandomStream::kTest, id);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(sequence.Below(2 * range + 1)) - static_cast<float>(range);
  return values;
}

inline std::vector<float> Normals(int64_t count, uint32_t id) {
  base::RandomSequence sequence(7, base::RandomStream::kTest, id);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(sequence.Normal());
  return values;
}

// Runs `check` once per instruction set of this machine, and restores the set, whatever `check` throws.
inline void ForEachIsa(const std::function<void(Isa)>& check) {
  struct Restore {
    ~Restore() { SetIsa("auto"); }
  } restore;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (isa > DetectIsa()) continue;
    SetIsa(IsaName(isa));
    check(isa);
  }
}

// And per thread count 1 and 2.
inline void ForEachIsaAndThreads(const std::function<void(Isa, int threads)>& check) {
  const int before = base::Threads();
  ForEachIsa([&](Isa isa) {
    for (const int threads : {1, 2}) {
      base::SetThreads(threads);
      check(isa, threads);
    }
  });
  base::SetThreads(before);
}

}  // namespace pdarts::kernels::test
