#include "base/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <mutex>

#include "base/error.h"

namespace pdarts::base {

void SetThreads(int n) {
  PD_CHECK(n >= 1, "threads = {}", n);
  omp_set_dynamic(0);
  omp_set_num_threads(n);
}

int Threads() { return omp_get_max_threads(); }

void ParallelFor(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (n <= 0) return;
  const int64_t most = std::max<int64_t>(1, n / std::max<int64_t>(1, grain));
  const int parts = static_cast<int>(std::min<int64_t>(most, omp_in_parallel() ? 1 : Threads()));
  if (parts == 1) return body(0, n);
  std::exception_ptr first_error;
  std::mutex mutex;
#pragma omp parallel num_threads(parts)
  {
    // The team can be smaller than asked for; cut by its real size so that every range is covered.
    const int64_t team = omp_get_num_threads(), rank = omp_get_thread_num();
    try {
      if (n * rank / team < n * (rank + 1) / team) body(n * rank / team, n * (rank + 1) / team);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!first_error) first_error = std::current_exception();
    }
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace pdarts::base
