#include "kernels/isa.h"

#include <atomic>

#include "base/error.h"

namespace pdarts::kernels {
namespace {

constexpr Isa kAll[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512};
std::atomic<int> forced{-1};

}  // namespace

Isa DetectIsa() {
#if defined(__x86_64__)
  static const Isa detected = [] {
    // The builtins ask the operating system too (XCR0), not only the CPU.
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return avx2 && avx512 ? Isa::kAvx512 : avx2 ? Isa::kAvx2 : Isa::kScalar;
  }();
  return detected;
#else
  return Isa::kScalar;
#endif
}

Isa ActiveIsa() {
  const int isa = forced.load(std::memory_order_relaxed);
  return isa < 0 ? DetectIsa() : static_cast<Isa>(isa);
}

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "unknown";
}

void SetIsa(const std::string& name) {
  if (name == "auto") {
    forced.store(-1, std::memory_order_relaxed);
    return;
  }
  for (const Isa isa : kAll) {
    if (name != IsaName(isa)) continue;
    if (isa > DetectIsa()) {
      throw base::UsageError(fmt::format("this CPU does not support the instruction set '{}'", name), "--isa",
                             fmt::format("use auto, or at most {}", IsaName(DetectIsa())));
    }
    forced.store(static_cast<int>(isa), std::memory_order_relaxed);
    return;
  }
  throw base::UsageError(fmt::format("unknown instruction set '{}'", name), "--isa",
                         "use auto, scalar, avx2 or avx512");
}

}  // namespace pdarts::kernels
