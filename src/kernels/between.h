// Work that a computation does in small pieces on its way. A piece is so small, some lines of memory, that the next one
// can be on its way to the cache until its turn comes: so reading and multiplying overlap. In larger pieces they do
// not, as README.md's figures show.
#pragma once

namespace pdarts::kernels {

struct Between {
  void (*piece)(void* state);  // nothing where all is done
  void* state;
};

}  // namespace pdarts::kernels
