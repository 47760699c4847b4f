// batch_norm (Ioffe and Szegedy 2015): per channel over N, H, W, m elements: mean, variance = mean of squares of
// deviations (biased), dst = (src - mean) / sqrt(variance + epsilon) * gamma + beta. Running statistics are another
// node: running = (1 - momentum) running
// + momentum * batch, with the unbiased variance (m / (m - 1)).
// Backward, xhat = (src - mean) * invstd: diff_gamma = sum diff_dst * xhat, diff_beta = sum diff_dst,
// diff_src = gamma * invstd * (diff_dst - diff_beta / m - xhat * diff_gamma / m).
#include <cmath>

#include "base/parallel.h"
#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;
using tensor::TensorDesc;

std::vector<TensorDesc> Infer(const ir::Attributes&, std::span<const TensorDesc> in) {
  PD_CHECK(in[0].shape.rank() == 4 && (in.size() == 1 || in.size() == 3));
  const TensorDesc channel{in[0].dtype, Shape{in[0].shape.c()}};
  return {in[0], channel, channel};
}

// Inputs: src, mean, variance, diff_dst [, gamma]; outputs: diff_src [, diff_gamma, diff_beta].
std::vector<TensorDesc> InferBwd(const ir::Attributes&, std::span<const TensorDesc> in) {
  const TensorDesc channel{in[0].dtype, Shape{in[0].shape.c()}};
  if (in.size() == 4) return {in[0]};
  return {in[0], channel, channel};
}

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

void Reference(const ReferenceContext& c) {
  const double epsilon = ir::Unpack<BatchNormAttributes>(c.node.attributes).epsilon;
  const Shape shape = c.in_shape(0);
  const double count = static_cast<double>(shape.n() * shape.h() * shape.w());
  const bool affine = c.node.inputs.size() == 3;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T* src = c.in<T>(0);
    ParallelChannels(shape, [&](int64_t channel) {
      double sum = 0, squares = 0;
      ForEachOfChannel(shape, channel, [&](int64_t i) { sum += src[i]; });
      const double mean = sum / count;
      ForEachOfChannel(shape, channel, [&](int64_t i) { squares += (src[i] - mean) * (src[i] - mean); });
      const double variance = squares / count;
      const double scale = (affine ? static_cast<double>(c.in<T>(1)[channel]) : 1.0) / std::sqrt(variance + epsilon);
      const double shift = affine ? static_cast<double>(c.in<T>(2)[channel]) : 0.0;
      ForEachOfChannel(shape, channel,
                       [&](int64_t i) { c.out<T>(0)[i] = static_cast<T>((src[i] - mean) * scale + shift); });
      c.out<T>(1)[channel] = static_cast<T>(mean);
      c.out<T>(2)[channel] = static_cast<T>(variance);
    });
  });
}

void ReferenceBwd(const ReferenceContext& c) {
  const double epsilon = ir::Unpack<BatchNormAttributes>(c.node.attributes).epsilon;
  const Shape shape = c.in_shape(0);
  const double count = static_cast<double>(shape.n() * shape.h() * shape.w());
  const bool affine = c.node.inputs.size() == 5;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T *src = c.in<T>(0), *diff = c.in<T>(3);
    ParallelChannels(shape, [&](int64_t channel) {
      const double mean = c.in<T>(1)[channel],
                   invstd = 1 / std::sqrt(static_cast<double>(c.in<T>(2)[channel]) + epsilon);
      double diff_gamma = 0, diff_beta = 0;
      ForEachOfChannel(shape, channel, [&](int64_t i) {
        diff_gamma += diff[i] * (src[i] - mean) * invstd;
        diff_beta += diff[i];
      });
      const double scale = affine ? c.in<T>(4)[channel] * invstd : invstd;
      ForEachOfChannel(shape, channel, [&](int64_t i) {
        const double xhat = (src[i] - mean) * invstd;
        c.out<T>(0)[i] = static_cast<T>(scale * (diff[i] - diff_beta / count - xhat * diff_gamma / count));
      });
      if (affine) {
        c.out<T>(1)[channel] = static_cast<T>(diff_gamma);
        c.out<T>(2)[channel] = static_cast<T>(diff_beta);
      }
    });
  });
}

// Inputs: src, mean, variance [, gamma, beta].
void ReferenceInference(const ReferenceContext& c) {
  const double epsilon = ir::Unpack<BatchNormAttributes>(c.node.attributes).epsilon;
  const Shape shape = c.in_shape(0);
  const bool affine = c.node.inputs.size() == 5;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    ParallelChannels(shape, [&](int64_t channel) {
      const double mean = c.in<T>(1)[channel],
                   invstd = 1 / std::sqrt(static_cast<double>(c.in<T>(2)[channel]) + epsilon);
      const double scale = affine ? c.in<T>(3)[channel] * invstd : invstd;
      const double shift = affine ? static_cast<double>(c.in<T>(4)[channel]) : 0.0;
      ForEachOfChannel(shape, channel,
                       [&](int64_t i) { c.out<T>(0)[i] = static_cast<T>((c.in<T>(0)[i] - mean) * scale + shift); });
    });
  });
}

void Gradient(GradientContext& c) {
  PD_CHECK(c.diff(1) == ir::kNoValue && c.diff(2) == ir::kNoValue, "no gradient passes through the statistics");
  const ir::Node& node = c.node();
  const bool affine = node.inputs.size() == 3;
  std::vector<ValueId> inputs = {node.inputs[0], node.outputs[1], node.outputs[2], c.diff(0)};
  if (affine) inputs.push_back(node.inputs[1]);
  const std::vector<ValueId> diffs = Emit(c.graph(), ir::OpKind::kBatchNormBwd, node.attributes, std::move(inputs));
  for (int i = 0; i < static_cast<int>(diffs.size()); ++i)
    if (c.wants(i)) c.Contribute(i, diffs[i]);
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
        const double batch_mean = c.in<T>(4 * norm + 2)[i], batch_variance = c.in<T>(4 * norm + 3)[i];
        c.out<T>(2 * norm)[i] = static_cast<T>((1 - a.momentum) * mean + a.momentum * batch_mean);
        c.out<T>(2 * norm + 1)[i] =
            static_cast<T>((1 - a.momentum) * variance + a.momentum * batch_variance * unbiased);
      }
    }
  });
}

}  // namespace

const OpDefinition kBatchNormDefinition{Infer, Gradient, Reference};
const OpDefinition kBatchNormBwdDefinition{InferBwd, nullptr, ReferenceBwd};
const OpDefinition kBatchNormInferenceDefinition{SameAsFirst, nullptr, ReferenceInference};
const OpDefinition kUpdateStatisticsDefinition{InferUpdate, nullptr, ReferenceUpdate};

BatchNormOutputs BatchNorm(Graph& graph, ValueId src, ValueId gamma, ValueId beta, double epsilon) {
  PD_CHECK((gamma == ir::kNoValue) == (beta == ir::kNoValue));
  std::vector<ValueId> inputs = {src};
  if (gamma != ir::kNoValue) inputs.insert(inputs.end(), {gamma, beta});
  const auto out = Emit(graph, ir::OpKind::kBatchNorm, ir::Pack(BatchNormAttributes{epsilon}), std::move(inputs));
  return {out[0], out[1], out[2]};
}

ValueId BatchNormInference(Graph& graph, ValueId src, ValueId mean, ValueId variance, ValueId gamma, ValueId beta,
                           double epsilon) {
  std::vector<ValueId> inputs = {src, mean, variance};
  if (gamma != ir::kNoValue) inputs.insert(inputs.end(), {gamma, beta});
  return Emit(graph, ir::OpKind::kBatchNormInference, ir::Pack(BatchNormAttributes{epsilon}), std::move(inputs))[0];
}

std::vector<ValueId> UpdateStatistics(Graph& graph, std::vector<ValueId> inputs,
                                      const UpdateStatisticsAttributes& attributes) {
  PD_CHECK(inputs.size() == 4 * attributes.counts.size(), "{} inputs for {} norms", inputs.size(),
           attributes.counts.size());
  return Emit(graph, ir::OpKind::kUpdateStatistics, ir::Pack(attributes), std::move(inputs));
}

}  // namespace pdarts::ops
