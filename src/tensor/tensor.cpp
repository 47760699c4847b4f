#include "tensor/tensor.h"

#include <algorithm>

namespace pdarts::tensor {
namespace {

template <class F>
decltype(auto) DispatchAny(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(float{});
    case DType::kF64:
      return f(double{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kU8:
      return f(uint8_t{});
  }
  PD_CHECK(false, "dtype {}", static_cast<int>(dtype));
}

}  // namespace

size_t SizeOf(DType dtype) {
  return DispatchAny(dtype, [](auto zero) { return sizeof zero; });
}

const char* Name(DType dtype) {
  constexpr const char* kNames[] = {"f32", "f64", "i32", "i64", "u8"};
  return kNames[static_cast<int>(dtype)];
}

Shape::Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  PD_CHECK(dims.size() <= kMaxRank, "rank {}", dims.size());
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (int64_t dim : dims()) product *= dim;
  return product;
}

std::string Shape::ToString() const {
  if (rank_ == 0) return "scalar";
  return fmt::format("{}", fmt::join(dims().begin(), dims().end(), "x"));
}

std::vector<double> HostTensor::ToDoubles() const {
  return DispatchAny(desc_.dtype, [this](auto zero) {
    const auto elements = As<decltype(zero)>();
    return std::vector<double>(elements.begin(), elements.end());
  });
}

HostTensor HostTensor::FromDoubles(TensorDesc desc, std::span<const double> values) {
  PD_CHECK(static_cast<int64_t>(values.size()) == desc.shape.elements(), "{} values for {}", values.size(),
           desc.shape.ToString());
  HostTensor tensor(desc);
  DispatchAny(desc.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::transform(values.begin(), values.end(), tensor.As<T>().begin(),
                   [](double value) { return static_cast<T>(value); });
  });
  return tensor;
}

}  // namespace pdarts::tensor
