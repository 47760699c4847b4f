// Addresses of a few rows that are worked on at once. Included by the .inc files only, as vec.h is.
#pragma once

#include "kernels/simd/vec.h"

namespace pdarts::kernels::PD_ISA {
namespace {

// Rows that lie `line` bytes apart, from a pointer that moves along them: three registers address six rows.
struct Lines {
  int64_t line, line3, line5;
  template <class T>
  PD_INLINE T* At(T* p, int i) const {
    const int64_t offset = i == 3 ? line3 : i == 5 ? line5 : i * line;
    return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(p) + offset);
  }
};

// Of rows `line` floats apart.
PD_INLINE Lines LinesOf(int64_t line) { return {4 * line, 12 * line, 20 * line}; }

}  // namespace
}  // namespace pdarts::kernels::PD_ISA
