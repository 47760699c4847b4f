// Reads tar archives as a stream, without unpacking them to disk.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "data/stream.h"

namespace pdarts::data {

// Walks a tar archive (POSIX ustar, with GNU long names) from its first header to its end. Regular files whose path
// `wanted` accepts are read and handed to `take`; everything else is skipped. `where` names the archive in errors.
// Throws a data error for what is no tar archive, a damaged header or an archive that ends inside a file.
void ReadTar(ByteStream& stream, const std::string& where, const std::function<bool(std::string_view path)>& wanted,
             const std::function<void(std::string path, std::string content)>& take);

}  // namespace pdarts::data
