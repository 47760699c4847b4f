// The instruction sets the kernels are compiled for, and the choice among them at run time.
#pragma once

#include <string>

namespace pdarts::kernels {

// kScalar is the compiler's baseline for the target, with no set asked for; kAvx2 needs FMA as well; kAvx512 needs F,
// BW, DQ and VL.
enum class Isa { kScalar = 0, kAvx2 = 1, kAvx512 = 2 };

// The best set that this CPU and its operating system support.
Isa DetectIsa();

// The set in use: what SetIsa chose, else DetectIsa(). Part of a run's signature, since sets round sums differently.
Isa ActiveIsa();

// "scalar", "avx2", "avx512".
const char* IsaName(Isa isa);

// Forces a set by its name; "auto" goes back to DetectIsa(). Throws UsageError for an unknown name or a set that this
// CPU lacks. Not while a kernel runs.
void SetIsa(const std::string& name);

}  // namespace pdarts::kernels
