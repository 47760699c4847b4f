// The one way to use several cores: OpenMP, shared with oneDNN so that both run on the same threads.
#pragma once

#include <cstdint>
#include <functional>

namespace pdarts::base {

// Sets how many threads ParallelFor and oneDNN use; n >= 1. Call before anything is compiled: the count is part of a
// plan's signature.
void SetThreads(int n);
int Threads();

// Calls body(begin, end) for disjoint ranges that cover [0, n), each at least `grain` long but the last, and returns
// when all are done. The ranges depend on the thread count: a reduction must not follow them, but be cut by sizes
// alone. An exception from the body is rethrown on the caller's thread.
void ParallelFor(int64_t n, int64_t grain, const std::function<void(int64_t begin, int64_t end)>& body);

}  // namespace pdarts::base
