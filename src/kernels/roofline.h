// Measures what this machine can do at most, with the active instruction set and all threads: what kernels are judged
// by.
#pragma once

namespace pdarts::kernels {

struct Roofline {
  double peak_gflops = 0;      // two for each fused multiply-add, fp32
  double copy_cache_gbs = 0;   // copying 4 MiB to 4 MiB, bytes read plus bytes written: from the last level of cache
  double copy_memory_gbs = 0;  // copying 256 MiB to 256 MiB
  double read_cache_gbs = 0;   // reading 8 MiB
  double read_memory_gbs = 0;  // reading 256 MiB
};

// The best of several tries; takes about two seconds and 512 MiB.
Roofline MeasureRoofline();

}  // namespace pdarts::kernels
