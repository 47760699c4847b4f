#include "tensor/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace pdarts::tensor {
namespace {

using nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr char kMetadataKey[] = "__metadata__";
constexpr char kRemedy[] = "the file is damaged or not a safetensors file; copy or make it again";
constexpr std::pair<DType, const char*> kDTypes[] = {
    {DType::kF32, "F32"}, {DType::kF64, "F64"}, {DType::kI32, "I32"}, {DType::kI64, "I64"}, {DType::kU8, "U8"}};

[[noreturn]] void Fail(const std::string& where, std::string what) {
  throw base::DataError(std::move(what), where, kRemedy);
}

struct Entry {
  std::string name;
  TensorDesc desc;
  uint64_t begin = 0, end = 0;
};

uint64_t ReadLength(std::string_view bytes) {
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  return length;
}

std::vector<uint64_t> Numbers(const json& value, const std::string& what, const std::string& where) {
  if (!value.is_array()) Fail(where, fmt::format("{} is not a list of numbers", what));
  std::vector<uint64_t> numbers;
  for (const json& item : value) {
    if (!item.is_number_unsigned()) Fail(where, fmt::format("{} holds something other than natural numbers", what));
    numbers.push_back(item.get<uint64_t>());
  }
  return numbers;
}

// `size` is that of the data part. Guards every multiplication: the numbers come from the file.
Entry ParseEntry(const std::string& name, const json& value, uint64_t size, const std::string& where) {
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets")) {
    Fail(where, fmt::format("tensor '{}' lacks dtype, shape or data_offsets", name));
  }
  Entry entry{name};
  const json& dtype = value["dtype"];
  const auto known = std::ranges::find_if(kDTypes, [&](const auto& pair) { return dtype == pair.second; });
  if (known == std::end(kDTypes)) {
    const std::string given = dtype.dump(-1, ' ', false, json::error_handler_t::replace);
    throw base::DataError(fmt::format("tensor '{}' has the unsupported dtype {}", name, given), where,
                          "convert it to F32, F64, I32, I64 or U8");
  }
  entry.desc.dtype = known->first;
  const std::vector<uint64_t> dims = Numbers(value["shape"], fmt::format("the shape of tensor '{}'", name), where);
  if (dims.size() > Shape::kMaxRank) {
    throw base::DataError(fmt::format("tensor '{}' has {} dimensions", name, dims.size()), where,
                          fmt::format("at most {} are supported", Shape::kMaxRank));
  }
  const std::vector<uint64_t> offsets =
      Numbers(value["data_offsets"], fmt::format("data_offsets of tensor '{}'", name), where);
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > size) {
    Fail(where, fmt::format("tensor '{}' lies outside the {} bytes of data that are there", name, size));
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  // An empty tensor's other dimensions are bounded too: their product must not overflow.
  const bool empty = std::ranges::find(dims, 0u) != dims.end();
  const uint64_t limit = empty ? uint64_t{1} << 40 : size;
  uint64_t bytes = SizeOf(entry.desc.dtype);
  std::vector<int64_t> signed_dims;
  for (uint64_t dim : dims) {
    if (dim > limit / bytes) Fail(where, fmt::format("tensor '{}' is larger than the data that is there", name));
    bytes *= std::max<uint64_t>(dim, 1);
    signed_dims.push_back(static_cast<int64_t>(dim));
  }
  if (empty) bytes = 0;
  if (bytes != entry.end - entry.begin) {
    Fail(where, fmt::format("tensor '{}' has {} bytes, but its shape needs {}", name, entry.end - entry.begin, bytes));
  }
  entry.desc.shape = Shape(signed_dims);
  return entry;
}

void CheckTiling(std::vector<Entry>& entries, uint64_t size, const std::string& where) {
  std::ranges::sort(entries,
                    [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  uint64_t reached = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != reached) {
      Fail(where,
           fmt::format("tensor '{}' begins at byte {} of the data; {} was expected", entry.name, entry.begin, reached));
    }
    reached = entry.end;
  }
  if (reached != size) Fail(where, fmt::format("{} bytes of data belong to no tensor", size - reached));
}

json ParseHeader(std::string_view bytes, const std::string& where) {
  if (bytes.size() < kLengthBytes) Fail(where, fmt::format("only {} bytes long", bytes.size()));
  const uint64_t length = ReadLength(bytes);
  if (length > bytes.size() - kLengthBytes) {
    Fail(where,
         fmt::format("its header should have {} bytes, but only {} follow", length, bytes.size() - kLengthBytes));
  }
  json header = json::parse(bytes.substr(kLengthBytes, length), nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) Fail(where, "its header is not a JSON object");
  return header;
}

}  // namespace

const HostTensor& SafetensorsFile::At(const std::string& name, const std::string& where) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [other, tensor] : tensors) names.push_back(other);
  const std::string near = base::NearestName(name, names);
  throw base::DataError(
      fmt::format("there is no tensor '{}'{}", name, near.empty() ? "" : fmt::format(" (nearest: '{}')", near)), where,
      "use a file written for this network");
}

SafetensorsFile ParseSafetensors(std::string_view bytes, const std::string& where) {
  const json header = ParseHeader(bytes, where);
  const std::string_view data = bytes.substr(kLengthBytes + ReadLength(bytes));
  SafetensorsFile file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadataKey) {
      entries.push_back(ParseEntry(name, value, data.size(), where));
      continue;
    }
    if (!value.is_object()) Fail(where, "its __metadata__ is not a JSON object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) Fail(where, fmt::format("its metadata '{}' is not a string", key));
      file.metadata[key] = text.get<std::string>();
    }
  }
  CheckTiling(entries, data.size(), where);
  for (const Entry& entry : entries) {
    HostTensor tensor(entry.desc);
    PD_CHECK(tensor.bytes() == entry.end - entry.begin);
    if (tensor.bytes() > 0) std::memcpy(tensor.data(), data.data() + entry.begin, tensor.bytes());
    file.tensors.emplace(entry.name, std::move(tensor));
  }
  return file;
}

SafetensorsFile ReadSafetensors(const std::filesystem::path& path) {
  return ParseSafetensors(base::ReadFile(path), path.string());
}

std::string FormatSafetensors(const SafetensorsFile& file) {
  std::vector<const std::pair<const std::string, HostTensor>*> order;
  for (const auto& item : file.tensors) {
    PD_CHECK(item.first != kMetadataKey);
    order.push_back(&item);
  }
  std::ranges::stable_sort(order, std::greater<>(), [](const auto* item) { return SizeOf(item->second.desc().dtype); });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) header[kMetadataKey] = file.metadata;
  uint64_t offset = 0;
  for (const auto* item : order) {
    const TensorDesc& desc = item->second.desc();
    const auto dtype = std::ranges::find_if(kDTypes, [&](const auto& pair) { return pair.first == desc.dtype; });
    const auto dims = desc.shape.dims();
    header[item->first] = {{"dtype", dtype->second},
                           {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
                           {"data_offsets", {offset, offset + item->second.bytes()}}};
    offset += item->second.bytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
  std::string bytes;
  bytes.reserve(kLengthBytes + text.size() + offset);
  for (size_t i = 0; i < kLengthBytes; ++i) bytes.push_back(static_cast<char>(text.size() >> 8 * i));
  bytes += text;
  for (const auto* item : order) bytes.append(reinterpret_cast<const char*>(item->second.data()), item->second.bytes());
  return bytes;
}

void WriteSafetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  base::WriteFileAtomically(path, FormatSafetensors(file));
}

}  // namespace pdarts::tensor
