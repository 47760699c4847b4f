#include "cli/shared_options.h"

#include "base/parallel.h"

namespace pdarts::cli {

void DataOptions::AddTo(OptionSet& options) {
  options.Group("Data");
  options.Add(
      "dataset", &dataset, "NAME|PATH",
      "cifar10, cifar100, synthetic (made by pdarts, needs no file), or the path of an archive or folder of images");
  options.Add("data", &data, "PATH", "where the named dataset lies: its .tar.gz or its folder");
  options.Add("train-limit", &train_limit, "N", "use the first N training images only", {.min = 1});
  options.Add("test-limit", &test_limit, "N", "use the first N test images only", {.min = 1});
}

void RunOptions::AddTo(OptionSet& options) {
  options.Group("Run");
  options.Add("out", &out, "DIR", "folder of the run; must not hold a run yet unless --resume is given");
  options.AddSwitch("resume", &resume,
                    "continue the run in --out from its last checkpoint, with the options it was started with");
  options.Add("seed", &seed, "N", "all random numbers follow from it");
}

void MachineOptions::AddTo(OptionSet& options, bool reads_images) {
  options.Group("Machine");
  options.AddChoice("device", &device, {"auto", "cpu", "ref"}, "ref is slow and plain, to check the others by");
  options.AddChoice("isa", &isa, {"auto", "scalar", "avx2", "avx512"}, "force the instruction set of the CPU kernels");
  options.Add("threads", &threads, "N", "compute threads; not given: OMP_NUM_THREADS, or all cores",
              {.min = 1, .max = 1024});
  if (!reads_images) return;
  options.Add("workers", &workers, "N", "threads that read and augment images ahead; 0 does it between the steps",
              {.min = 0, .max = 256});
}

void MachineOptions::ApplyThreads() const { base::SetThreads(threads.value_or(base::Threads())); }

void OutputOptions::AddTo(OptionSet& options) {
  options.Group("Output");
  options.AddSwitch("json", &json, "print the result as JSON");
}

}  // namespace pdarts::cli
