// Any bytes as a pickle, and everything that can be asked of it: values or an error.
#include <cstdlib>

#include "base/error.h"
#include "data/pickle.h"

using pdarts::data::Pickle;

namespace {

template <class Ask>
void Try(Ask ask) {
  try {
    ask();
  } catch (const pdarts::base::Error&) {
    // what the format asks for
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Try([bytes] {
    const Pickle pickle(bytes, "input");
    Try([&] { pickle.Texts(pickle.root()); });
    Try([&] { pickle.Integers(pickle.Get(pickle.root(), "labels")); });
    for (const uint32_t item : pickle.root().items) {
      Try([&] { pickle.Texts(pickle[item]); });
      Try([&] {
        const Pickle::Matrix matrix = pickle.ByteMatrix(pickle[item]);
        if (static_cast<int64_t>(matrix.bytes.size()) != matrix.rows * matrix.columns) std::abort();
      });
    }
  });
  return 0;
}
