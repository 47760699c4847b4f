// Shapes, element types, layouts, and a tensor in host memory. Plain values; nothing here owns device memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace pdarts::tensor {

enum class DType : uint8_t { kF32, kF64, kI32, kI64, kU8 };

size_t SizeOf(DType dtype);     // bytes of an element
const char* Name(DType dtype);  // "f32", "f64", "i32", "i64", "u8"

// Up to five dimensions, outermost first. Activations are N, C, H, W whatever their layout; convolution weights O, I,
// H, W.
class Shape {
 public:
  static constexpr int kMaxRank = 5;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dims_[i]; }
  std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  int64_t elements() const;
  std::string ToString() const;  // "6x16x32x32"; "scalar" for rank 0

  // Of an activation.
  int64_t n() const { return dims_[0]; }
  int64_t c() const { return dims_[1]; }
  int64_t h() const { return dims_[2]; }
  int64_t w() const { return dims_[3]; }

  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// How the elements of a tensor lie in memory. kPlain is row major in the order of the shape (NCHW, OIHW); kChannelsLast
// puts C innermost (NHWC). Numbers from kFirstOpaque on are interned by the backend that made them and mean nothing
// elsewhere.
enum class Layout : int32_t { kPlain = 0, kChannelsLast = 1, kFirstOpaque = 16 };

struct TensorDesc {
  DType dtype = DType::kF32;
  Shape shape;

  size_t bytes() const {
    return SizeOf(dtype) * static_cast<size_t>(shape.elements());
  }  // in a plain or channels-last layout
  bool operator==(const TensorDesc&) const = default;
};

// A dense tensor in host memory, plain layout. Copies deeply.
class HostTensor {
 public:
  HostTensor() = default;
  explicit HostTensor(TensorDesc desc) : desc_(desc), bytes_(desc.bytes()) {}

  const TensorDesc& desc() const { return desc_; }
  const Shape& shape() const { return desc_.shape; }
  std::byte* data() { return bytes_.data(); }
  const std::byte* data() const { return bytes_.data(); }
  size_t bytes() const { return bytes_.size(); }

  // The elements; T must be the dtype's C++ type.
  template <class T>
  std::span<T> As() {
    PD_CHECK(sizeof(T) == SizeOf(desc_.dtype));
    return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }
  template <class T>
  std::span<const T> As() const {
    PD_CHECK(sizeof(T) == SizeOf(desc_.dtype));
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

  // The elements converted to double, or set from doubles (rounded to the dtype).
  std::vector<double> ToDoubles() const;
  static HostTensor FromDoubles(TensorDesc desc, std::span<const double> values);

 private:
  TensorDesc desc_;
  std::vector<std::byte> bytes_;
};

// Calls f with a value of the C++ type of a floating dtype: f(float{}) or f(double{}).
template <class F>
decltype(auto) DispatchFloat(DType dtype, F&& f) {
  PD_CHECK(dtype == DType::kF32 || dtype == DType::kF64, "dtype {}", Name(dtype));
  return dtype == DType::kF32 ? f(float{}) : f(double{});
}

}  // namespace pdarts::tensor
