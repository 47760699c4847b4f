// The mixed operation (DARTS; paper, formula 1): softmax over an edge's alphas, and sums weighted by them. A weight is
// named by its flat index in the table [edges, operations], so one sum can take the operations of all edges that enter
// a node.
#include <cmath>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;
using tensor::TensorDesc;

void ReferenceSoftmax(const ReferenceContext& c) {
  const int64_t rows = c.in_shape(0)[0], columns = c.in_shape(0)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < rows; ++r) {
      const T* src = c.in<T>(0) + r * columns;
      double largest = src[0], sum = 0;
      for (int64_t k = 1; k < columns; ++k) largest = std::max<double>(largest, src[k]);
      for (int64_t k = 0; k < columns; ++k) sum += std::exp(src[k] - largest);
      for (int64_t k = 0; k < columns; ++k)
        c.out<T>(0)[r * columns + k] = static_cast<T>(std::exp(src[k] - largest) / sum);
    }
  });
}

// Inputs: dst, diff_dst. diff_src = dst * (diff_dst - sum over the row of diff_dst * dst).
void ReferenceSoftmaxBwd(const ReferenceContext& c) {
  const int64_t rows = c.in_shape(0)[0], columns = c.in_shape(0)[1];
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < rows; ++r) {
      const T *dst = c.in<T>(0) + r * columns, *diff = c.in<T>(1) + r * columns;
      double dot = 0;
      for (int64_t k = 0; k < columns; ++k) dot += static_cast<double>(dst[k]) * diff[k];
      for (int64_t k = 0; k < columns; ++k) c.out<T>(0)[r * columns + k] = static_cast<T>(dst[k] * (diff[k] - dot));
    }
  });
}

void GradientSoftmax(GradientContext& c) {
  c.Contribute(0, Emit(c.graph(), ir::OpKind::kSoftmaxBwd, {}, {c.node().outputs[0], c.diff(0)})[0]);
}

struct SumAttributes {
  std::vector<int64_t> indices;
  template <class F>
  void Visit(F&& f) {
    f("indices", indices);
  }
};
struct SumBwdAttributes : SumAttributes {
  int64_t rows = 0, columns = 0;
  template <class F>
  void Visit(F&& f) {
    SumAttributes::Visit(f), f("rows", rows), f("columns", columns);
  }
};

// Inputs: weights, then one src per index.
std::vector<TensorDesc> InferSum(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<SumAttributes>(packed);
  PD_CHECK(in.size() == a.indices.size() + 1 && in.size() > 1, "{} inputs for {} indices", in.size(), a.indices.size());
  for (size_t i = 1; i < in.size(); ++i) {
    PD_CHECK(in[i] == in[1], "{} and {}", in[i].shape.ToString(), in[1].shape.ToString());
    PD_CHECK(a.indices[i - 1] >= 0 && a.indices[i - 1] < in[0].shape.elements());
  }
  return {in[1]};
}

void ReferenceSum(const ReferenceContext& c) {
  const auto a = ir::Unpack<SumAttributes>(c.node.attributes);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < a.indices.size(); ++k)
        sum += static_cast<double>(c.in<T>(0)[a.indices[k]]) * c.in<T>(static_cast<int>(k) + 1)[i];
      c.out<T>(0)[i] = static_cast<T>(sum);
    }
  });
}

// Inputs: diff_dst, then one src per index; output: the table of weights' gradients, 0 where no index points.
std::vector<TensorDesc> InferSumBwdWeights(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<SumBwdAttributes>(packed);
  return {{in[0].dtype, Shape{a.rows, a.columns}}};
}

void ReferenceSumBwdWeights(const ReferenceContext& c) {
  const auto a = ir::Unpack<SumBwdAttributes>(c.node.attributes);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> table(static_cast<size_t>(a.rows * a.columns));
    for (size_t k = 0; k < a.indices.size(); ++k)
      for (int64_t i = 0; i < c.in_shape(0).elements(); ++i)
        table[a.indices[k]] += static_cast<double>(c.in<T>(0)[i]) * c.in<T>(static_cast<int>(k) + 1)[i];
    for (size_t i = 0; i < table.size(); ++i) c.out<T>(0)[i] = static_cast<T>(table[i]);
  });
}

struct IndexAttributes {
  int64_t index = 0;
  template <class F>
  void Visit(F&& f) {
    f("index", index);
  }
};

// Inputs: src, weights; output: weights.flat[index] * src.
void ReferenceScaleByWeight(const ReferenceContext& c) {
  const int64_t index = ir::Unpack<IndexAttributes>(c.node.attributes).index;
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T weight = c.in<T>(1)[index];
    for (int64_t i = 0; i < c.out_shape(0).elements(); ++i) c.out<T>(0)[i] = c.in<T>(0)[i] * weight;
  });
}

void GradientSum(GradientContext& c) {
  Graph& graph = c.graph();
  const std::vector<ValueId> inputs = c.node().inputs;
  const auto a = ir::Unpack<SumAttributes>(c.node().attributes);
  for (size_t k = 0; k < a.indices.size(); ++k) {
    if (!c.wants(static_cast<int>(k) + 1)) continue;
    const auto packed = ir::Pack(IndexAttributes{a.indices[k]});
    c.Contribute(static_cast<int>(k) + 1, Emit(graph, ir::OpKind::kScaleByWeight, packed, {c.diff(0), inputs[0]})[0]);
  }
  if (!c.wants(0)) return;
  std::vector<ValueId> bwd_inputs = {c.diff(0)};
  bwd_inputs.insert(bwd_inputs.end(), inputs.begin() + 1, inputs.end());
  const Shape table = graph.shape(inputs[0]);
  c.Contribute(0, Emit(graph, ir::OpKind::kWeightedSumBwdWeights, ir::Pack(SumBwdAttributes{a, table[0], table[1]}),
                       bwd_inputs)[0]);
}

}  // namespace

const OpDefinition kSoftmaxDefinition{SameAsFirst, GradientSoftmax, ReferenceSoftmax};
const OpDefinition kSoftmaxBwdDefinition{SameAsFirst, nullptr, ReferenceSoftmaxBwd};
const OpDefinition kWeightedSumDefinition{InferSum, GradientSum, ReferenceSum};
const OpDefinition kWeightedSumBwdWeightsDefinition{InferSumBwdWeights, nullptr, ReferenceSumBwdWeights};
const OpDefinition kScaleByWeightDefinition{SameAsFirst, nullptr, ReferenceScaleByWeight};

ValueId Softmax(Graph& graph, ValueId src) { return Emit(graph, ir::OpKind::kSoftmax, {}, {src})[0]; }

ValueId WeightedSum(Graph& graph, const std::vector<ValueId>& srcs, ValueId weights,
                    const std::vector<int64_t>& indices) {
  std::vector<ValueId> inputs = {weights};
  inputs.insert(inputs.end(), srcs.begin(), srcs.end());
  return Emit(graph, ir::OpKind::kWeightedSum, ir::Pack(SumAttributes{indices}), std::move(inputs))[0];
}

}  // namespace pdarts::ops
