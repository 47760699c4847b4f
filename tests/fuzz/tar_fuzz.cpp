// Any bytes as a tar archive, plain and after gzip: an error or an end, and no more content than the input can hold.
#include <cstdlib>

#include "base/error.h"
#include "data/tar.h"

namespace {

// Gzip expands by a factor of about 1000 at most; what is plain does not expand.
void ReadAll(pdarts::data::ByteStream& stream, size_t most) {
  size_t taken = 0;
  try {
    pdarts::data::ReadTar(
        stream, "input", [](std::string_view path) { return !path.ends_with("skip"); },
        [&taken](const std::string&, const std::string& content) { taken += content.size(); });
  } catch (const pdarts::base::Error&) {
    // what the format asks for
  }
  if (taken > most) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const auto plain = pdarts::data::NewMemoryStream(bytes);
  ReadAll(*plain, size);
  const auto packed = pdarts::data::NewGzipStream(pdarts::data::NewMemoryStream(bytes), "input");
  ReadAll(*packed, 1100 * size);
  return 0;
}
