// base/parallel.h without OpenMP: a fuzz target runs alone, and every loop in its order.
#include "base/parallel.h"

namespace pdarts::base {

void SetThreads(int) {}

int Threads() { return 1; }

void ParallelFor(int64_t n, int64_t, const std::function<void(int64_t, int64_t)>& body) {
  if (n > 0) body(0, n);
}

}  // namespace pdarts::base
