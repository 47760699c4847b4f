// concat and slice of channels; subsample: every second pixel from an offset; stack and unstack: weights along their
// first dimension.
#include <algorithm>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;
using tensor::TensorDesc;

std::vector<TensorDesc> InferConcat(const ir::Attributes&, std::span<const TensorDesc> in) {
  int64_t channels = 0;
  const Shape first = in[0].shape;
  for (const TensorDesc& desc : in) {
    const Shape& shape = desc.shape;
    PD_CHECK(shape.rank() == 4 && shape.n() == first.n() && shape.h() == first.h() && shape.w() == first.w(),
             "{} beside {}", shape.ToString(), first.ToString());
    channels += shape.c();
  }
  return {{in[0].dtype, Shape{first.n(), channels, first.h(), first.w()}}};
}

void ReferenceConcat(const ReferenceContext& c) {
  const Shape dst = c.out_shape(0);
  const int64_t pixels = dst.h() * dst.w();
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    T* out = c.out<T>(0);
    for (int64_t n = 0; n < dst.n(); ++n)
      for (size_t i = 0; i < c.inputs.size(); ++i) {
        const int64_t block = c.in_shape(static_cast<int>(i)).c() * pixels;
        out = std::copy_n(c.in<T>(static_cast<int>(i)) + n * block, block, out);
      }
  });
}

struct SliceAttributes {
  int64_t first_channel = 0, channels = 0;
  template <class F>
  void Visit(F&& f) {
    f("first_channel", first_channel), f("channels", channels);
  }
};

std::vector<TensorDesc> InferSlice(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<SliceAttributes>(packed);
  const Shape& src = in[0].shape;
  PD_CHECK(a.first_channel >= 0 && a.first_channel + a.channels <= src.c(), "channels {}+{} of {}", a.first_channel,
           a.channels, src.c());
  return {{in[0].dtype, Shape{src.n(), a.channels, src.h(), src.w()}}};
}

void ReferenceSlice(const ReferenceContext& c) {
  const auto a = ir::Unpack<SliceAttributes>(c.node.attributes);
  const Shape src = c.in_shape(0);
  const int64_t pixels = src.h() * src.w(), block = a.channels * pixels;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t n = 0; n < src.n(); ++n)
      std::copy_n(c.in<T>(0) + (n * src.c() + a.first_channel) * pixels, block, c.out<T>(0) + n * block);
  });
}

void GradientConcat(GradientContext& c) {
  const std::vector<ValueId> inputs = c.node().inputs;
  int64_t first = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int64_t channels = c.graph().shape(inputs[i]).c();
    if (c.wants(static_cast<int>(i))) c.Contribute(static_cast<int>(i), Slice(c.graph(), c.diff(0), first, channels));
    first += channels;
  }
}

void GradientSlice(GradientContext& c) {
  const auto a = ir::Unpack<SliceAttributes>(c.node().attributes);
  Graph& graph = c.graph();
  const TensorDesc src = graph.desc(c.node().inputs[0]);
  const Shape& s = src.shape;
  std::vector<ValueId> parts;
  if (a.first_channel > 0) parts.push_back(Zeros(graph, {src.dtype, Shape{s.n(), a.first_channel, s.h(), s.w()}}));
  parts.push_back(c.diff(0));
  const int64_t behind = s.c() - a.first_channel - a.channels;
  if (behind > 0) parts.push_back(Zeros(graph, {src.dtype, Shape{s.n(), behind, s.h(), s.w()}}));
  c.Contribute(0, parts.size() == 1 ? parts[0] : Concat(graph, parts));
}

struct SubsampleAttributes {
  int64_t offset = 0;
  template <class F>
  void Visit(F&& f) {
    f("offset", offset);
  }
};

std::vector<TensorDesc> InferSubsample(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const int64_t offset = ir::Unpack<SubsampleAttributes>(packed).offset;
  const Shape& src = in[0].shape;
  PD_CHECK(src.h() > offset && src.w() > offset, "an image of {}x{} is too small", src.h(), src.w());
  return {{in[0].dtype, Shape{src.n(), src.c(), (src.h() - offset + 1) / 2, (src.w() - offset + 1) / 2}}};
}

std::vector<TensorDesc> InferSubsampleBwd(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<SubsampleBwdAttributes>(packed);
  const TensorDesc src{in[0].dtype, Shape{in[0].shape.n(), in[0].shape.c(), a.src_h, a.src_w}};
  PD_CHECK(in.size() == 1 || (in.size() == 2 && in[1] == src), "a further term of another shape");
  return {src};
}

// Calls visit(index in the large image, index in the small one) for the pixels that are taken.
template <class F>
void ForEachTaken(int64_t offset, const Shape& large, const Shape& small, F&& visit) {
  for (int64_t plane = 0; plane < small.n() * small.c(); ++plane)
    for (int64_t y = 0; y < small.h(); ++y)
      for (int64_t x = 0; x < small.w(); ++x)
        visit((plane * large.h() + offset + 2 * y) * large.w() + offset + 2 * x,
              (plane * small.h() + y) * small.w() + x);
}

void ReferenceSubsample(const ReferenceContext& c) {
  const int64_t offset = ir::Unpack<SubsampleAttributes>(c.node.attributes).offset;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    ForEachTaken(offset, c.in_shape(0), c.out_shape(0), [&](int64_t i, int64_t o) { c.out<T>(0)[o] = c.in<T>(0)[i]; });
  });
}

void ReferenceSubsampleBwd(const ReferenceContext& c) {
  const int64_t offset = ir::Unpack<SubsampleBwdAttributes>(c.node.attributes).offset;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const int64_t elements = c.out_shape(0).elements();
    if (c.inputs.size() == 2)
      std::copy_n(c.in<T>(1), elements, c.out<T>(0));
    else
      std::fill_n(c.out<T>(0), elements, T{0});
    ForEachTaken(offset, c.out_shape(0), c.in_shape(0), [&](int64_t i, int64_t o) { c.out<T>(0)[i] += c.in<T>(0)[o]; });
  });
}

void GradientSubsample(GradientContext& c) {
  const Shape src = c.graph().shape(c.node().inputs[0]);
  const int64_t offset = ir::Unpack<SubsampleAttributes>(c.node().attributes).offset;
  c.Contribute(0, SubsampleBwd(c.graph(), c.diff(0), ir::kNoValue, {offset, src.h(), src.w()}));
}

// Elements of a slab: all but the first dimension.
int64_t Slab(const Shape& shape) { return shape.elements() / shape[0]; }

std::vector<TensorDesc> InferStack(const ir::Attributes&, std::span<const TensorDesc> in) {
  int64_t rows = 0;
  const Shape first = in[0].shape;
  for (const TensorDesc& desc : in) {
    const Shape& s = desc.shape;
    PD_CHECK(s.rank() == 4 && s[1] == first[1] && s[2] == first[2] && s[3] == first[3], "{} under {}", s.ToString(),
             first.ToString());
    rows += s[0];
  }
  return {{in[0].dtype, Shape{rows, first[1], first[2], first[3]}}};
}

void ReferenceStack(const ReferenceContext& c) {
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    T* out = c.out<T>(0);
    for (size_t i = 0; i < c.inputs.size(); ++i)
      out = std::copy_n(c.in<T>(static_cast<int>(i)), c.in_shape(static_cast<int>(i)).elements(), out);
  });
}

struct UnstackAttributes {
  int64_t first = 0, rows = 0;
  template <class F>
  void Visit(F&& f) {
    f("first", first), f("rows", rows);
  }
};

std::vector<TensorDesc> InferUnstack(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<UnstackAttributes>(packed);
  const Shape& s = in[0].shape;
  PD_CHECK(s.rank() == 4 && a.first >= 0 && a.rows >= 1 && a.first + a.rows <= s[0], "{}+{} of {}", a.first, a.rows,
           s.ToString());
  return {{in[0].dtype, Shape{a.rows, s[1], s[2], s[3]}}};
}

void ReferenceUnstack(const ReferenceContext& c) {
  const auto a = ir::Unpack<UnstackAttributes>(c.node.attributes);
  const int64_t slab = Slab(c.in_shape(0));
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    std::copy_n(c.in<T>(0) + a.first * slab, a.rows * slab, c.out<T>(0));
  });
}

void GradientStack(GradientContext& c) {
  const std::vector<ValueId> inputs = c.node().inputs;
  UnstackAttributes a;
  for (size_t i = 0; i < inputs.size(); ++i, a.first += a.rows) {
    a.rows = c.graph().shape(inputs[i])[0];
    if (c.wants(static_cast<int>(i)))
      c.Contribute(static_cast<int>(i), Emit(c.graph(), ir::OpKind::kUnstack, ir::Pack(a), {c.diff(0)})[0]);
  }
}

}  // namespace

const OpDefinition kConcatDefinition{InferConcat, GradientConcat, ReferenceConcat};
const OpDefinition kSliceDefinition{InferSlice, GradientSlice, ReferenceSlice};
const OpDefinition kSubsampleDefinition{InferSubsample, GradientSubsample, ReferenceSubsample};
const OpDefinition kSubsampleBwdDefinition{InferSubsampleBwd, nullptr, ReferenceSubsampleBwd};
const OpDefinition kStackDefinition{InferStack, GradientStack, ReferenceStack};
const OpDefinition kUnstackDefinition{InferUnstack, nullptr, ReferenceUnstack};

ValueId Concat(Graph& graph, const std::vector<ValueId>& srcs) { return Emit(graph, ir::OpKind::kConcat, {}, srcs)[0]; }
ValueId Slice(Graph& graph, ValueId src, int64_t first_channel, int64_t channels) {
  return Emit(graph, ir::OpKind::kSlice, ir::Pack(SliceAttributes{first_channel, channels}), {src})[0];
}
ValueId Subsample(Graph& graph, ValueId src, int64_t offset) {
  return Emit(graph, ir::OpKind::kSubsample, ir::Pack(SubsampleAttributes{offset}), {src})[0];
}
ValueId SubsampleBwd(Graph& graph, ValueId diff_dst, ValueId add, const SubsampleBwdAttributes& attributes) {
  std::vector<ValueId> inputs = {diff_dst};
  if (add != ir::kNoValue) inputs.push_back(add);
  return Emit(graph, ir::OpKind::kSubsampleBwd, ir::Pack(attributes), std::move(inputs))[0];
}
ValueId Stack(Graph& graph, const std::vector<ValueId>& weights) {
  return Emit(graph, ir::OpKind::kStack, {}, weights)[0];
}

}  // namespace pdarts::ops
