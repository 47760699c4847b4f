// Any bytes as an archive of CIFAR, plain or in gzip: images whose labels are in range, or a data error.
#include <cstdlib>

#include "base/error.h"
#include "data/cifar.h"
#include "fuzz/scratch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  const fuzz::ScratchFile file(data, size);
  try {
    const data::Splits splits = data::OpenCifar(file.path(), "", 4, 4);
    for (const data::Dataset* split : {splits.train.get(), splits.test.get()}) {
      const data::DatasetInfo& info = split->info();
      if (split->Size() > 4 || static_cast<int>(info.class_names.size()) != info.classes) std::abort();
      std::vector<uint8_t> pixels(static_cast<size_t>(info.image_bytes()));
      for (int64_t i = 0; i < split->Size(); ++i) {
        if (split->Label(i) < 0 || split->Label(i) >= info.classes) std::abort();
        split->Read(i, pixels.data());
      }
    }
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kData) std::abort();
  }
  return 0;
}
