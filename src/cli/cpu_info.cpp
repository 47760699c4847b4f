#include "cli/cpu_info.h"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "kernels/isa.h"

namespace pdarts::cli {
namespace {

std::string ModelName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname name{};
  return ::uname(&name) == 0 ? name.machine : "unknown";
}

int UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

// A line of /proc/meminfo ("MemTotal:  16384 kB") in bytes, 0 where there is none.
uint64_t MemInfo(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    uint64_t kib = 0;
    if (words >> name >> kib && name == key + ":") return kib * 1024;
  }
  return 0;
}

// A number in a file of the control group, or `otherwise` ("max", or no such file).
uint64_t ControlGroup(const char* path, uint64_t otherwise) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : otherwise;
}

}  // namespace

CpuInfo ReadCpuInfo() {
  CpuInfo info;
  info.model = ModelName();
  info.cores = UsableCores();
  for (const auto isa : {kernels::Isa::kScalar, kernels::Isa::kAvx2, kernels::Isa::kAvx512})
    if (isa <= kernels::DetectIsa()) info.isa.emplace_back(kernels::IsaName(isa));
  const uint64_t total = MemInfo("MemTotal");
  info.memory_total = std::min(total, ControlGroup("/sys/fs/cgroup/memory.max", total));
  const uint64_t used = ControlGroup("/sys/fs/cgroup/memory.current", 0);
  info.memory_available = std::min(MemInfo("MemAvailable"), info.memory_total - std::min(used, info.memory_total));
  return info;
}

}  // namespace pdarts::cli
