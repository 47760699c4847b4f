// Any bytes as a PNG or JPEG: an image of the size that the header says, or a data error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "data/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pdarts;
  try {
    const data::ImageSize header = data::DecodeImageSize({data, size}, "input");
    if (header.height <= 0 || header.width <= 0) std::abort();
    // A short file may hold a large picture: decoding it costs time and memory, and finds nothing more.
    if (int64_t{header.height} * header.width > 1 << 16) return 0;
    const data::Image image = data::DecodeImage({data, size}, "input");
    if (image.height != header.height || image.width != header.width) std::abort();
    if (image.pixels.size() != size_t{3} * image.height * image.width) std::abort();
    const data::Image small = data::ResizeShorterSide(image, 8);
    if (data::CentreCrop(small, 8).pixels.size() != 3 * 8 * 8) std::abort();
  } catch (const base::Error& error) {
    if (error.code() != base::ExitCode::kData) std::abort();
  }
  return 0;
}
