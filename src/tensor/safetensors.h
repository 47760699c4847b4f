// The safetensors format: 8 bytes with the header's length, a JSON header {name: {dtype, shape, data_offsets}}, then
// the tensors' bytes.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace pdarts::tensor {

struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, HostTensor> tensors;

  // The tensor of that name. Throws a data error that names the nearest one where there is none; `where` is the file,
  // for the message.
  const HostTensor& At(const std::string& name, const std::string& where = "") const;
};

// Accepts F32, F64, I32, I64, U8 and up to Shape::kMaxRank dimensions. The tensors must tile the data exactly, without
// gaps or overlaps, so that a truncated or corrupted file is noticed. Throws a data error naming `where` and the
// tensor.
SafetensorsFile ParseSafetensors(std::string_view bytes, const std::string& where);
SafetensorsFile ReadSafetensors(const std::filesystem::path& path);

// The same content gives the same bytes: tensors by falling element size (so that all are aligned), then by name;
// metadata by key.
std::string FormatSafetensors(const SafetensorsFile& file);
void WriteSafetensors(const std::filesystem::path& path, const SafetensorsFile& file);

}  // namespace pdarts::tensor
