// Max pooling (outputs: dst and the winning tap r * kernel + s of each output, u8; the first maximum in row-major order
// wins), average pooling (divides by the pixels inside the image) and global average pooling [N, C, H, W] -> [N, C].
#include "base/parallel.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;

Shape PooledShape(const PoolAttributes& a, const Shape& src) {
  const int64_t h = (src.h() + 2 * a.pad - a.kernel) / a.stride + 1,
                w = (src.w() + 2 * a.pad - a.kernel) / a.stride + 1;
  PD_CHECK(src.h() + 2 * a.pad >= a.kernel && src.w() + 2 * a.pad >= a.kernel, "an image of {}x{} is too small",
           src.h(), src.w());
  return Shape{src.n(), src.c(), h, w};
}

std::vector<TensorDesc> InferMax(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const Shape dst = PooledShape(ir::Unpack<PoolAttributes>(packed), in[0].shape);
  return {{in[0].dtype, dst}, {DType::kU8, dst}};
}

std::vector<TensorDesc> InferAvg(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  return {{in[0].dtype, PooledShape(ir::Unpack<PoolAttributes>(packed), in[0].shape)}};
}

std::vector<TensorDesc> InferBwd(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<PoolBwdAttributes>(packed);
  return {{in[0].dtype, Shape{in[0].shape.n(), in[0].shape.c(), a.src_h, a.src_w}}};
}

// Calls visit(tap, source index) for the pixels of window (y, x) that lie inside the plane of src.
template <class F>
void ForEachTap(const PoolAttributes& a, int64_t h, int64_t w, int64_t y, int64_t x, F&& visit) {
  for (int64_t r = 0; r < a.kernel; ++r)
    for (int64_t s = 0; s < a.kernel; ++s) {
      const int64_t src_y = y * a.stride - a.pad + r, src_x = x * a.stride - a.pad + s;
      if (src_y >= 0 && src_y < h && src_x >= 0 && src_x < w) visit(r * a.kernel + s, src_y * w + src_x);
    }
}

// Calls body(plane's offset in src, plane's offset in dst, output index inside the plane, y, x).
template <class F>
void ForEachOutput(const Shape& src, const Shape& dst, F&& body) {
  base::ParallelFor(dst.n() * dst.c(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane)
      for (int64_t y = 0; y < dst.h(); ++y)
        for (int64_t x = 0; x < dst.w(); ++x)
          body(plane * src.h() * src.w(), plane * dst.h() * dst.w() + y * dst.w() + x, y, x);
  });
}

void ReferenceMax(const ReferenceContext& c) {
  const auto a = ir::Unpack<PoolAttributes>(c.node.attributes);
  const Shape src = c.in_shape(0), dst = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    ForEachOutput(src, dst, [&](int64_t plane, int64_t out, int64_t y, int64_t x) {
      bool any = false;
      T best{};
      int64_t winner = 0;
      ForEachTap(a, src.h(), src.w(), y, x, [&](int64_t tap, int64_t i) {
        const T value = c.in<T>(0)[plane + i];
        if (!any || value > best) best = value, winner = tap, any = true;
      });
      c.out<T>(0)[out] = best;
      c.out<uint8_t>(1)[out] = static_cast<uint8_t>(winner);
    });
  });
}

// Inputs: diff_dst, workspace. Windows overlap, so a plane is one thread's.
void ReferenceMaxBwd(const ReferenceContext& c) {
  const auto a = ir::Unpack<PoolBwdAttributes>(c.node.attributes);
  const Shape dst = c.in_shape(0), src = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(c.out<T>(0), src.elements(), T{0});
    ForEachOutput(src, dst, [&](int64_t plane, int64_t out, int64_t y, int64_t x) {
      ForEachTap(a, src.h(), src.w(), y, x, [&](int64_t tap, int64_t i) {
        if (tap == c.in<uint8_t>(1)[out]) c.out<T>(0)[plane + i] += c.in<T>(0)[out];
      });
    });
  });
}

void ReferenceAvg(const ReferenceContext& c) {
  const auto a = ir::Unpack<PoolAttributes>(c.node.attributes);
  const Shape src = c.in_shape(0), dst = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    ForEachOutput(src, dst, [&](int64_t plane, int64_t out, int64_t y, int64_t x) {
      double sum = 0;
      int64_t count = 0;
      ForEachTap(a, src.h(), src.w(), y, x, [&](int64_t, int64_t i) { sum += c.in<T>(0)[plane + i], ++count; });
      c.out<T>(0)[out] = static_cast<T>(sum / static_cast<double>(count));
    });
  });
}

void ReferenceAvgBwd(const ReferenceContext& c) {
  const auto a = ir::Unpack<PoolBwdAttributes>(c.node.attributes);
  const Shape dst = c.in_shape(0), src = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(c.out<T>(0), src.elements(), T{0});
    ForEachOutput(src, dst, [&](int64_t plane, int64_t out, int64_t y, int64_t x) {
      int64_t count = 0;
      ForEachTap(a, src.h(), src.w(), y, x, [&](int64_t, int64_t) { ++count; });
      const T share = c.in<T>(0)[out] / static_cast<T>(count);
      ForEachTap(a, src.h(), src.w(), y, x, [&](int64_t, int64_t i) { c.out<T>(0)[plane + i] += share; });
    });
  });
}

void Gradient(GradientContext& c) {
  const bool max = c.node().kind == ir::OpKind::kMaxPool;
  const Shape src = c.graph().shape(c.node().inputs[0]);
  const auto packed = ir::Pack(PoolBwdAttributes{ir::Unpack<PoolAttributes>(c.node().attributes), src.h(), src.w()});
  std::vector<ValueId> inputs = {c.diff(0)};
  if (max) inputs.push_back(c.node().outputs[1]);
  c.Contribute(0,
               Emit(c.graph(), max ? ir::OpKind::kMaxPoolBwd : ir::OpKind::kAvgPoolBwd, packed, std::move(inputs))[0]);
}

struct GlobalPoolBwdAttributes {
  int64_t src_h = 0, src_w = 0;
  template <class F>
  void Visit(F&& f) {
    f("src_h", src_h), f("src_w", src_w);
  }
};

std::vector<TensorDesc> InferGlobal(const ir::Attributes&, std::span<const TensorDesc> in) {
  return {{in[0].dtype, Shape{in[0].shape.n(), in[0].shape.c()}}};
}

std::vector<TensorDesc> InferGlobalBwd(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<GlobalPoolBwdAttributes>(packed);
  return {{in[0].dtype, Shape{in[0].shape[0], in[0].shape[1], a.src_h, a.src_w}}};
}

void ReferenceGlobal(const ReferenceContext& c) {
  const int64_t pixels = c.in_shape(0).h() * c.in_shape(0).w();
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t plane = 0; plane < c.out_shape(0).elements(); ++plane) {
      double sum = 0;
      for (int64_t p = 0; p < pixels; ++p) sum += c.in<T>(0)[plane * pixels + p];
      c.out<T>(0)[plane] = static_cast<T>(sum / static_cast<double>(pixels));
    }
  });
}

void ReferenceGlobalBwd(const ReferenceContext& c) {
  const int64_t pixels = c.out_shape(0).h() * c.out_shape(0).w();
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i)
      c.out<T>(0)[i] = c.in<T>(0)[i / pixels] / static_cast<T>(pixels);
  });
}

void GradientGlobal(GradientContext& c) {
  const Shape src = c.graph().shape(c.node().inputs[0]);
  c.Contribute(0, Emit(c.graph(), ir::OpKind::kGlobalAvgPoolBwd, ir::Pack(GlobalPoolBwdAttributes{src.h(), src.w()}),
                       {c.diff(0)})[0]);
}

}  // namespace

const OpDefinition kMaxPoolDefinition{InferMax, Gradient, ReferenceMax};
const OpDefinition kMaxPoolBwdDefinition{InferBwd, nullptr, ReferenceMaxBwd};
const OpDefinition kAvgPoolDefinition{InferAvg, Gradient, ReferenceAvg};
const OpDefinition kAvgPoolBwdDefinition{InferBwd, nullptr, ReferenceAvgBwd};
const OpDefinition kGlobalAvgPoolDefinition{InferGlobal, GradientGlobal, ReferenceGlobal};
const OpDefinition kGlobalAvgPoolBwdDefinition{InferGlobalBwd, nullptr, ReferenceGlobalBwd};

ValueId MaxPool(Graph& graph, ValueId src, const PoolAttributes& attributes) {
  return Emit(graph, ir::OpKind::kMaxPool, ir::Pack(attributes), {src})[0];
}
ValueId AvgPool(Graph& graph, ValueId src, const PoolAttributes& attributes) {
  return Emit(graph, ir::OpKind::kAvgPool, ir::Pack(attributes), {src})[0];
}
ValueId GlobalAvgPool(Graph& graph, ValueId src) { return Emit(graph, ir::OpKind::kGlobalAvgPool, {}, {src})[0]; }

}  // namespace pdarts::ops
