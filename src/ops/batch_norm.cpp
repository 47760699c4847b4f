// Batch normalisation (Ioffe and Szegedy 2015), in two halves each way, so that a pass may put something between them.
// batch_norm_statistics: per channel over N, H, W, m elements: mean, variance = mean of squares of deviations (biased),
// both f64 whatever the data: what they are rounded by would shift whole channels.
// batch_norm_apply: dst = (src - mean) / sqrt(variance + epsilon) * gamma + beta, with the statistics of src in
// training and widened running ones in evaluation. Backward, xhat = (src - mean) * invstd: batch_norm_bwd_sums:
// diff_gamma = sum diff_dst * xhat, diff_beta = sum diff_dst; batch_norm_bwd_data: diff_src = weight * gamma * invstd *
// (diff_dst - diff_beta / m - xhat * diff_gamma / m), which holds what goes through the statistics; weight is 1, or an
// entry of a table (passes/fuse_normalized_sums.cpp). update_statistics: running = (1 - momentum) running + momentum *
// batch, with the unbiased variance (m / (m - 1)). widen: each input in f64, as statistics are read.
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;

// Calls visit(index) for the N*H*W elements of channel c.
template <class F>
void ForEachOfChannel(const Shape& shape, int64_t channel, F&& visit) {
  const int64_t pixels = shape.h() * shape.w();
  for (int64_t n = 0; n < shape.n(); ++n)
    for (int64_t p = 0; p < pixels; ++p) visit((n * shape.c() + channel) * pixels + p);
}

template <class F>
void ParallelChannels(const Shape& shape, F&& body) {
  base::ParallelFor(shape.c(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel) body(channel);
  });
}

double Epsilon(const ReferenceContext& c) { return ir::Unpack<BatchNormAttributes>(c.node.attributes).epsilon; }

// Of a channel: inputs 1 and 2.
struct Moments {
  double mean, invstd;
};
Moments MomentsOf(const ReferenceContext& c, int64_t channel) {
  return {c.in<double>(1)[channel], 1 / std::sqrt(c.in<double>(2)[channel] + Epsilon(c))};
}

std::vector<TensorDesc> InferStatistics(const ir::Attributes&, std::span<const TensorDesc> in) {
  PD_CHECK(in.size() == 1 && in[0].shape.rank() == 4);
  const TensorDesc channel{DType::kF64, Shape{in[0].shape.c()}};
  return {channel, channel};
}

void ReferenceStatistics(const ReferenceContext& c) {
  const Shape shape = c.in_shape(0);
  const double count = static_cast<double>(shape.n() * shape.h() * shape.w());
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T* src = c.in<T>(0);
    ParallelChannels(shape, [&](int64_t channel) {
      double sum = 0, squares = 0;
      ForEachOfChannel(shape, channel, [&](int64_t i) { sum += src[i]; });
      const double mean = sum / count;
      ForEachOfChannel(shape, channel, [&](int64_t i) { squares += (src[i] - mean) * (src[i] - mean); });
      c.out<double>(0)[channel] = mean;
      c.out<double>(1)[channel] = squares / count;
    });
  });
}

// Inputs: src, mean, variance [, gamma, beta].
std::vector<TensorDesc> InferApply(const ir::Attributes&, std::span<const TensorDesc> in) {
  PD_CHECK(in.size() == 3 || in.size() == 5, "{} inputs", in.size());
  const TensorDesc channel{DType::kF64, Shape{in[0].shape.c()}};
  PD_CHECK(in[1] == channel && in[2] == channel, "statistics {} and {}", in[1].shape.ToString(),
           in[2].shape.ToString());
  return {in[0]};
}

void ReferenceApply(const ReferenceContext& c) {
  const Shape shape = c.in_shape(0);
  const bool affine = c.node.inputs.size() == 5;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    ParallelChannels(shape, [&](int64_t channel) {
      const Moments moments = MomentsOf(c, channel);
      const double scale = affine ? c.in<T>(3)[channel] * moments.invstd : moments.invstd;
      const double shift = affine ? static_cast<double>(c.in<T>(4)[channel]) : 0.0;
      ForEachOfChannel(shape, channel, [&](int64_t i) {
        c.out<T>(0)[i] = static_cast<T>((c.in<T>(0)[i] - moments.mean) * scale + shift);
      });
    });
  });
}

// Inputs: src, mean, variance, diff_dst; outputs: diff_gamma, diff_beta [C], wanted without affine parameters too.
std::vector<TensorDesc> InferBwdSums(const ir::Attributes&, std::span<const TensorDesc> in) {
  const TensorDesc channel{in[0].dtype, Shape{in[0].shape.c()}};
  return {channel, channel};
}

void ReferenceBwdSums(const ReferenceContext& c) {
  const Shape shape = c.in_shape(0);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T *src = c.in<T>(0), *diff = c.in<T>(3);
    ParallelChannels(shape, [&](int64_t channel) {
      const Moments moments = MomentsOf(c, channel);
      double diff_gamma = 0, diff_beta = 0;
      ForEachOfChannel(shape, channel, [&](int64_t i) {
        diff_gamma += diff[i] * (src[i] - moments.mean) * moments.invstd;
        diff_beta += diff[i];
      });
      c.out<T>(0)[channel] = static_cast<T>(diff_gamma);
      c.out<T>(1)[channel] = static_cast<T>(diff_beta);
    });
  });
}

// Inputs: src, mean, variance, diff_dst, diff_gamma, diff_beta [, gamma] [, table].
std::vector<TensorDesc> InferBwdData(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const int64_t index = ir::Unpack<BatchNormBwdDataAttributes>(packed).index;
  const size_t inputs = in.size() - (index < 0 ? 0 : 1);
  PD_CHECK(inputs == 6 || inputs == 7, "{} inputs, index {}", in.size(), index);
  PD_CHECK(index < in.back().shape.elements());
  return {in[0]};
}

void ReferenceBwdData(const ReferenceContext& c) {
  const Shape shape = c.in_shape(0);
  const double count = static_cast<double>(shape.n() * shape.h() * shape.w());
  const int64_t index = ir::Unpack<BatchNormBwdDataAttributes>(c.node.attributes).index;
  const int last = static_cast<int>(c.node.inputs.size()) - 1;
  const bool affine = (index < 0 ? last : last - 1) == 6;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T *src = c.in<T>(0), *diff = c.in<T>(3);
    const double weight = index < 0 ? 1.0 : static_cast<double>(c.in<T>(last)[index]);
    ParallelChannels(shape, [&](int64_t channel) {
      const Moments moments = MomentsOf(c, channel);
      const double scale = weight * (affine ? c.in<T>(6)[channel] * moments.invstd : moments.invstd);
      const double slope = c.in<T>(4)[channel] / count, shift = c.in<T>(5)[channel] / count;
      ForEachOfChannel(shape, channel, [&](int64_t i) {
        const double xhat = (src[i] - moments.mean) * moments.invstd;
        c.out<T>(0)[i] = static_cast<T>(scale * (diff[i] - shift - xhat * slope));
      });
    });
  });
}

// Of apply with the statistics of its own src, as training has it.
void GradientApply(GradientContext& c) {
  const ir::Node& node = c.node();
  const ValueId src = node.inputs[0], mean = node.inputs[1], variance = node.inputs[2];
  const ir::Node& statistics = c.graph().node(c.graph().value(mean).producer);
  PD_CHECK(statistics.kind == ir::OpKind::kBatchNormStatistics && statistics.inputs[0] == src,
           "a gradient through statistics that are not the batch's");
  const bool affine = node.inputs.size() == 5;
  const auto sums = Emit(c.graph(), ir::OpKind::kBatchNormBwdSums, node.attributes, {src, mean, variance, c.diff(0)});
  if (affine && c.wants(3)) c.Contribute(3, sums[0]);
  if (affine && c.wants(4)) c.Contribute(4, sums[1]);
  if (!c.wants(0)) return;
  std::vector<ValueId> inputs = {src, mean, variance, c.diff(0), sums[0], sums[1]};
  if (affine) inputs.push_back(node.inputs[3]);
  const auto attributes = ir::Pack(BatchNormBwdDataAttributes{ir::Unpack<BatchNormAttributes>(node.attributes)});
  c.Contribute(0, Emit(c.graph(), ir::OpKind::kBatchNormBwdData, attributes, std::move(inputs))[0]);
}

std::vector<TensorDesc> InferUpdate(const ir::Attributes&, std::span<const TensorDesc> in) {
  std::vector<TensorDesc> out;
  for (size_t i = 0; i + 3 < in.size(); i += 4) out.insert(out.end(), {in[i], in[i + 1]});
  return out;
}

void ReferenceUpdate(const ReferenceContext& c) {
  const auto a = ir::Unpack<UpdateStatisticsAttributes>(c.node.attributes);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int norm = 0; norm < static_cast<int>(a.counts.size()); ++norm) {
      const double count = static_cast<double>(a.counts[norm]), unbiased = count > 1 ? count / (count - 1) : 1;
      for (int64_t i = 0; i < c.out_shape(2 * norm).elements(); ++i) {
        const double mean = c.in<T>(4 * norm)[i], variance = c.in<T>(4 * norm + 1)[i];
        const double batch_mean = c.in<double>(4 * norm + 2)[i], batch_variance = c.in<double>(4 * norm + 3)[i];
        c.out<T>(2 * norm)[i] = static_cast<T>((1 - a.momentum) * mean + a.momentum * batch_mean);
        c.out<T>(2 * norm + 1)[i] =
            static_cast<T>((1 - a.momentum) * variance + a.momentum * batch_variance * unbiased);
      }
    }
  });
}

std::vector<TensorDesc> InferWiden(const ir::Attributes&, std::span<const TensorDesc> in) {
  std::vector<TensorDesc> out;
  for (const TensorDesc& desc : in) {
    PD_CHECK(desc.dtype == DType::kF32, "{} of another type", desc.shape.ToString());
    out.push_back({DType::kF64, desc.shape});
  }
  return out;
}

void ReferenceWiden(const ReferenceContext& c) {
  for (int k = 0; k < static_cast<int>(c.node.inputs.size()); ++k)
    std::copy_n(c.in<float>(k), c.out_shape(k).elements(), c.out<double>(k));
}

}  // namespace

const OpDefinition kBatchNormStatisticsDefinition{InferStatistics, nullptr, ReferenceStatistics};
const OpDefinition kBatchNormApplyDefinition{InferApply, GradientApply, ReferenceApply};
const OpDefinition kBatchNormBwdSumsDefinition{InferBwdSums, nullptr, ReferenceBwdSums};
const OpDefinition kBatchNormBwdDataDefinition{InferBwdData, nullptr, ReferenceBwdData};
const OpDefinition kUpdateStatisticsDefinition{InferUpdate, nullptr, ReferenceUpdate};
const OpDefinition kWidenDefinition{InferWiden, nullptr, ReferenceWiden};

BatchNormOutputs BatchNorm(Graph& graph, ValueId src, ValueId gamma, ValueId beta, double epsilon) {
  const auto statistics = Emit(graph, ir::OpKind::kBatchNormStatistics, {}, {src});
  return {BatchNormApply(graph, src, statistics[0], statistics[1], gamma, beta, epsilon), statistics[0], statistics[1]};
}

ValueId BatchNormApply(Graph& graph, ValueId src, ValueId mean, ValueId variance, ValueId gamma, ValueId beta,
                       double epsilon) {
  PD_CHECK((gamma == ir::kNoValue) == (beta == ir::kNoValue));
  std::vector<ValueId> inputs = {src, mean, variance};
  if (gamma != ir::kNoValue) inputs.insert(inputs.end(), {gamma, beta});
  return Emit(graph, ir::OpKind::kBatchNormApply, ir::Pack(BatchNormAttributes{epsilon}), std::move(inputs))[0];
}

std::vector<ValueId> UpdateStatistics(Graph& graph, std::vector<ValueId> inputs,
                                      const UpdateStatisticsAttributes& attributes) {
  PD_CHECK(inputs.size() == 4 * attributes.counts.size(), "{} inputs for {} norms", inputs.size(),
           attributes.counts.size());
  return Emit(graph, ir::OpKind::kUpdateStatistics, ir::Pack(attributes), std::move(inputs));
}

std::vector<ValueId> Widen(Graph& graph, std::vector<ValueId> values) {
  if (graph.desc(values[0]).dtype == DType::kF64) return values;
  return Emit(graph, ir::OpKind::kWiden, {}, std::move(values));
}

}  // namespace pdarts::ops
