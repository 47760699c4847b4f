// What this machine's CPU and memory are, as far as a run depends on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pdarts::cli {

struct CpuInfo {
  std::string model;              // as /proc/cpuinfo says; the architecture where it says nothing
  int cores = 0;                  // logical cores this process may use
  std::vector<std::string> isa;   // of the instruction sets pdarts has kernels for, those this CPU runs; "scalar" first
  uint64_t memory_total = 0;      // bytes: the machine's memory, or the control group's limit where that is lower
  uint64_t memory_available = 0;  // bytes
};

CpuInfo ReadCpuInfo();

}  // namespace pdarts::cli
