// conv2d: dst[n][o][y][x] = sum over i, r, s of weights[o][i][r][s] * src[n][g I + i][y stride_h - pad_h + r
// dilation][...]; zero outside. Groups split both channel counts; depthwise is groups = C with one input channel each.
// No bias (the networks have none).
#include "base/parallel.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;
using tensor::TensorDesc;

int64_t OutputSize(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  return (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
}

std::vector<TensorDesc> Infer(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<ConvAttributes>(packed);
  const Shape &src = in[0].shape, &weights = in[1].shape;
  PD_CHECK(src.rank() == 4 && weights.rank() == 4 && in[0].dtype == in[1].dtype);
  PD_CHECK(src.c() == weights[1] * a.groups && weights[0] % a.groups == 0, "src {} weights {} groups {}",
           src.ToString(), weights.ToString(), a.groups);
  const int64_t h = OutputSize(src.h(), weights[2], a.stride_h, a.pad_h, a.dilation);
  const int64_t w = OutputSize(src.w(), weights[3], a.stride_w, a.pad_w, a.dilation);
  PD_CHECK(h > 0 && w > 0, "an image of {}x{} is too small", src.h(), src.w());
  return {{in[0].dtype, Shape{src.n(), weights[0], h, w}}};
}

std::vector<TensorDesc> InferBwdData(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<ConvBwdDataAttributes>(packed);
  return {{in[0].dtype, Shape{in[0].shape.n(), in[1].shape[1] * a.groups, a.src_h, a.src_w}}};
}

std::vector<TensorDesc> InferBwdWeights(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<ConvBwdWeightsAttributes>(packed);
  return {{in[0].dtype, Shape{in[1].shape.c(), in[0].shape.c() / a.groups, a.kernel_h, a.kernel_w}}};
}

// Calls visit(src index, weights index, dst index) for every multiply-add of output channel o of image n.
template <class F>
void ForEachTerm(const ConvAttributes& a, const Shape& src, const Shape& weights, const Shape& dst, int64_t n,
                 int64_t o, F&& visit) {
  const int64_t group = o / (weights[0] / a.groups);
  for (int64_t i = 0; i < weights[1]; ++i) {
    const int64_t channel = group * weights[1] + i;
    for (int64_t r = 0; r < weights[2]; ++r)
      for (int64_t s = 0; s < weights[3]; ++s)
        for (int64_t y = 0; y < dst.h(); ++y) {
          const int64_t src_y = y * a.stride_h - a.pad_h + r * a.dilation;
          if (src_y < 0 || src_y >= src.h()) continue;
          for (int64_t x = 0; x < dst.w(); ++x) {
            const int64_t src_x = x * a.stride_w - a.pad_w + s * a.dilation;
            if (src_x < 0 || src_x >= src.w()) continue;
            visit(((n * src.c() + channel) * src.h() + src_y) * src.w() + src_x,
                  ((o * weights[1] + i) * weights[2] + r) * weights[3] + s,
                  ((n * dst.c() + o) * dst.h() + y) * dst.w() + x);
          }
        }
  }
}

void Reference(const ReferenceContext& c) {
  const auto a = ir::Unpack<ConvAttributes>(c.node.attributes);
  const Shape src = c.in_shape(0), weights = c.in_shape(1), dst = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    base::ParallelFor(dst.n() * dst.c(), 1, [&](int64_t begin, int64_t end) {
      std::vector<double> plane(static_cast<size_t>(dst.h() * dst.w()));
      for (int64_t nc = begin; nc < end; ++nc) {
        std::fill(plane.begin(), plane.end(), 0.0);
        const int64_t base = nc * dst.h() * dst.w();
        ForEachTerm(a, src, weights, dst, nc / dst.c(), nc % dst.c(), [&](int64_t si, int64_t wi, int64_t di) {
          plane[di - base] += static_cast<double>(c.in<T>(0)[si]) * static_cast<double>(c.in<T>(1)[wi]);
        });
        for (size_t i = 0; i < plane.size(); ++i)
          c.out<T>(0)[base + static_cast<int64_t>(i)] = static_cast<T>(plane[i]);
      }
    });
  });
}

void ReferenceBwdData(const ReferenceContext& c) {
  const auto a = ir::Unpack<ConvBwdDataAttributes>(c.node.attributes);
  const Shape dst = c.in_shape(0), weights = c.in_shape(1), src = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    base::ParallelFor(src.n(), 1, [&](int64_t begin, int64_t end) {
      std::vector<double> image(static_cast<size_t>(src.c() * src.h() * src.w()));
      for (int64_t n = begin; n < end; ++n) {
        std::fill(image.begin(), image.end(), 0.0);
        const int64_t base = n * static_cast<int64_t>(image.size());
        for (int64_t o = 0; o < dst.c(); ++o)
          ForEachTerm(a, src, weights, dst, n, o, [&](int64_t si, int64_t wi, int64_t di) {
            image[si - base] += static_cast<double>(c.in<T>(0)[di]) * static_cast<double>(c.in<T>(1)[wi]);
          });
        for (size_t i = 0; i < image.size(); ++i)
          c.out<T>(0)[base + static_cast<int64_t>(i)] = static_cast<T>(image[i]);
      }
    });
  });
}

void ReferenceBwdWeights(const ReferenceContext& c) {
  const auto a = ir::Unpack<ConvBwdWeightsAttributes>(c.node.attributes);
  const Shape src = c.in_shape(0), dst = c.in_shape(1), weights = c.out_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    base::ParallelFor(weights[0], 1, [&](int64_t begin, int64_t end) {
      std::vector<double> filter(static_cast<size_t>(weights[1] * weights[2] * weights[3]));
      for (int64_t o = begin; o < end; ++o) {
        std::fill(filter.begin(), filter.end(), 0.0);
        const int64_t base = o * static_cast<int64_t>(filter.size());
        for (int64_t n = 0; n < src.n(); ++n)
          ForEachTerm(a, src, weights, dst, n, o, [&](int64_t si, int64_t wi, int64_t di) {
            filter[wi - base] += static_cast<double>(c.in<T>(0)[si]) * static_cast<double>(c.in<T>(1)[di]);
          });
        for (size_t i = 0; i < filter.size(); ++i)
          c.out<T>(0)[base + static_cast<int64_t>(i)] = static_cast<T>(filter[i]);
      }
    });
  });
}

void Gradient(GradientContext& c) {
  Graph& graph = c.graph();
  const auto a = ir::Unpack<ConvAttributes>(c.node().attributes);
  const ValueId src = c.node().inputs[0], weights = c.node().inputs[1];
  const Shape src_shape = graph.shape(src), weights_shape = graph.shape(weights);
  if (c.wants(0)) c.Contribute(0, Conv2dBwdData(graph, c.diff(0), weights, {a, src_shape.h(), src_shape.w()}));
  if (c.wants(1)) c.Contribute(1, Conv2dBwdWeights(graph, src, c.diff(0), {a, weights_shape[2], weights_shape[3]}));
}

// Every term of the sum, those on the padding included, as the field counts them.
int64_t Terms(const Shape& dst, const Shape& weights) { return dst.elements() * weights[1] * weights[2] * weights[3]; }

}  // namespace

const OpDefinition kConv2dDefinition{Infer, Gradient, Reference, [](const Graph& graph, const ir::Node& node) {
                                       return Terms(graph.shape(node.outputs[0]), graph.shape(node.inputs[1]));
                                     }};
const OpDefinition kConv2dBwdDataDefinition{InferBwdData, nullptr, ReferenceBwdData,
                                            [](const Graph& graph, const ir::Node& node) {
                                              return Terms(graph.shape(node.inputs[0]), graph.shape(node.inputs[1]));
                                            }};
const OpDefinition kConv2dBwdWeightsDefinition{
    InferBwdWeights, nullptr, ReferenceBwdWeights, [](const Graph& graph, const ir::Node& node) {
      return Terms(graph.shape(node.inputs[1]), graph.shape(node.outputs[0]));
    }};

ValueId Conv2d(Graph& graph, ValueId src, ValueId weights, const ConvAttributes& attributes) {
  return Emit(graph, ir::OpKind::kConv2d, ir::Pack(attributes), {src, weights})[0];
}
ValueId Conv2dBwdData(Graph& graph, ValueId diff_dst, ValueId weights, const ConvBwdDataAttributes& attributes) {
  return Emit(graph, ir::OpKind::kConv2dBwdData, ir::Pack(attributes), {diff_dst, weights})[0];
}
ValueId Conv2dBwdWeights(Graph& graph, ValueId src, ValueId diff_dst, const ConvBwdWeightsAttributes& attributes) {
  return Emit(graph, ir::OpKind::kConv2dBwdWeights, ir::Pack(attributes), {src, diff_dst})[0];
}

}  // namespace pdarts::ops
