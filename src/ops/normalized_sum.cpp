// A weighted sum of batch norms without affine parameters, so that no normalised tensor need exist: the mixed operation
// (mixed.cpp) over its terms' sources. xhat_k = (src_k - mean_k) / sqrt(variance_k + epsilon) where term k has
// statistics, src_k where it has none, or what a dropout makes of it.
// normalized_sum: dst = sum_k table.flat[indices[k]] * xhat_k.
// normalized_sum_bwd: diff_gamma_k = sum over N, H, W of diff_dst * xhat_k, for each term with statistics; diff_beta =
// sum of diff_dst; and, if asked for, the gradient of the table: <diff_dst, xhat_k> at indices[k]. No weight takes
// part: batch_norm_bwd_data multiplies by it. Both are made by passes/fuse_normalized_sums.cpp from nodes that have
// gradients, so they need none.
#include <cmath>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::TensorDesc;

// Calls visit(k, input of src, has statistics) for each term; the statistics are the two inputs behind src. Input 0 is
// the table or diff_dst. Returns the number of inputs.
template <class F>
int ForTerms(const NormalizedSumAttributes& a, F&& visit) {
  int input = 1;
  for (size_t k = 0; k < a.indices.size(); ++k) {
    const bool normalized = a.normalized[k] != 0;
    visit(k, input, normalized);
    input += normalized ? 3 : 1;
  }
  return input;
}

void CheckTerms(const NormalizedSumAttributes& a, std::span<const TensorDesc> in, int64_t table) {
  PD_CHECK(!a.indices.empty() && a.indices.size() == a.normalized.size(), "{} indices, {} flags", a.indices.size(),
           a.normalized.size());
  const auto inputs = static_cast<size_t>(ForTerms(a, [](size_t, int, bool) {}));
  PD_CHECK(in.size() == inputs + (a.drops.empty() ? 0 : 2), "{} inputs, not {}", in.size(), inputs);
  PD_CHECK(a.drops.empty() || (a.drops.size() == a.indices.size() && in[inputs].dtype == DType::kF64 &&
                               in[inputs + 1] == TensorDesc{DType::kI64, Shape{2}}),
           "{} drops", a.drops.size());
  PD_CHECK(in[1].shape.rank() == 4, "{}", in[1].shape.ToString());
  const TensorDesc channel{DType::kF64, Shape{in[1].shape.c()}};
  ForTerms(a, [&](size_t k, int input, bool normalized) {
    PD_CHECK(in[input] == in[1], "{} and {}", in[input].shape.ToString(), in[1].shape.ToString());
    PD_CHECK(!normalized || (in[input + 1] == channel && in[input + 2] == channel), "statistics of term {}", k);
    PD_CHECK(!normalized || a.drops.empty() || a.drops[k] < 0, "term {} is normalised and dropped", k);
    PD_CHECK(a.indices[k] >= 0 && (table == 0 || a.indices[k] < table), "index {}", a.indices[k]);
  });
}

// Calls visit(i, xhat) for all elements of a term, [N, C, H, W].
template <class T, class F>
void ForElements(const ReferenceContext& c, const NormalizedSumAttributes& a, size_t k, int input, F&& visit) {
  const Shape shape = c.in_shape(1);
  const int64_t pixels = shape.h() * shape.w();
  const T* src = c.in<T>(input);
  if (!a.drops.empty() && a.drops[k] >= 0) {
    const ReferenceMask mask(c, static_cast<int>(c.node.inputs.size()) - 2, a.drops[k]);
    const T factor = T{1} / (T{1} - static_cast<T>(mask.rate()));
    for (int64_t i = 0; i < shape.elements(); ++i)
      visit(i, mask.Keeps(shape, i) ? static_cast<double>(src[i] * factor) : 0.0);
    return;
  }
  for (int64_t i = 0; i < shape.elements(); ++i) {
    const int64_t channel = i / pixels % shape.c();
    const bool normalized = a.normalized[k] != 0;
    const double mean = normalized ? c.in<double>(input + 1)[channel] : 0;
    visit(i, normalized ? (src[i] - mean) / std::sqrt(c.in<double>(input + 2)[channel] + a.epsilon) : src[i]);
  }
}

std::vector<TensorDesc> InferSum(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  CheckTerms(ir::Unpack<NormalizedSumAttributes>(packed), in, in[0].shape.elements());
  return {in[1]};
}

void ReferenceSum(const ReferenceContext& c) {
  const auto a = ir::Unpack<NormalizedSumAttributes>(c.node.attributes);
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> sums(static_cast<size_t>(c.out_shape(0).elements()));
    ForTerms(a, [&](size_t k, int input, bool) {
      const double weight = c.in<T>(0)[a.indices[k]];
      ForElements<T>(c, a, k, input, [&](int64_t i, double xhat) { sums[i] += weight * xhat; });
    });
    for (size_t i = 0; i < sums.size(); ++i) c.out<T>(0)[i] = static_cast<T>(sums[i]);
  });
}

// Outputs: diff_gamma of each term with statistics, diff_beta [, table].
std::vector<TensorDesc> InferBwd(const ir::Attributes& packed, std::span<const TensorDesc> in) {
  const auto a = ir::Unpack<NormalizedSumBwdAttributes>(packed);
  CheckTerms(a, in, a.rows * a.columns);
  PD_CHECK(in[0] == in[1], "{} and {}", in[0].shape.ToString(), in[1].shape.ToString());
  std::vector<TensorDesc> out = {{in[0].dtype, Shape{in[0].shape.c()}}};
  for (int64_t normalized : a.normalized)
    if (normalized != 0) out.push_back(out[0]);
  if (a.rows * a.columns != 0) out.push_back({in[0].dtype, Shape{a.rows, a.columns}});
  return out;
}

void ReferenceBwd(const ReferenceContext& c) {
  const auto a = ir::Unpack<NormalizedSumBwdAttributes>(c.node.attributes);
  const Shape shape = c.in_shape(0);
  const int64_t pixels = shape.h() * shape.w(), channels = shape.c();
  ByDType(c, [&](auto zero) {
    using T = decltype(zero);
    const T* diff = c.in<T>(0);
    std::vector<double> table(static_cast<size_t>(a.rows * a.columns));
    int output = 0;
    ForTerms(a, [&](size_t k, int input, bool normalized) {
      std::vector<double> sums(static_cast<size_t>(channels));
      ForElements<T>(c, a, k, input, [&](int64_t i, double xhat) { sums[i / pixels % channels] += diff[i] * xhat; });
      for (double sum : sums)
        if (!table.empty()) table[a.indices[k]] += sum;
      if (!normalized) return;
      for (int64_t i = 0; i < channels; ++i) c.out<T>(output)[i] = static_cast<T>(sums[i]);
      ++output;
    });
    std::vector<double> beta(static_cast<size_t>(channels));
    for (int64_t i = 0; i < shape.elements(); ++i) beta[i / pixels % channels] += diff[i];
    for (int64_t i = 0; i < channels; ++i) c.out<T>(output)[i] = static_cast<T>(beta[i]);
    for (size_t i = 0; i < table.size(); ++i) c.out<T>(output + 1)[i] = static_cast<T>(table[i]);
  });
}

// Appends the terms' inputs and their flags.
void AppendTerms(const std::vector<SumTerm>& terms, std::vector<ValueId>& inputs, std::vector<int64_t>& normalized) {
  for (const SumTerm& term : terms) {
    inputs.push_back(term.src);
    normalized.push_back(term.mean != ir::kNoValue);
    if (normalized.back() != 0) inputs.insert(inputs.end(), {term.mean, term.variance});
  }
}

}  // namespace

const OpDefinition kNormalizedSumDefinition{InferSum, nullptr, ReferenceSum};
const OpDefinition kNormalizedSumBwdDefinition{InferBwd, nullptr, ReferenceBwd};

ValueId NormalizedSum(Graph& graph, ValueId table, const std::vector<SumTerm>& terms,
                      const std::vector<int64_t>& indices, double epsilon) {
  NormalizedSumAttributes a{indices, {}, epsilon};
  std::vector<ValueId> inputs = {table};
  AppendTerms(terms, inputs, a.normalized);
  return Emit(graph, ir::OpKind::kNormalizedSum, ir::Pack(a), std::move(inputs))[0];
}

NormalizedSumDiffs NormalizedSumBwd(Graph& graph, ValueId diff_dst, const std::vector<SumTerm>& terms,
                                    const std::vector<int64_t>& indices, double epsilon, int64_t rows,
                                    int64_t columns) {
  NormalizedSumBwdAttributes a{{indices, {}, epsilon}, rows, columns};
  std::vector<ValueId> inputs = {diff_dst};
  AppendTerms(terms, inputs, a.normalized);
  const std::vector<ValueId> outputs = Emit(graph, ir::OpKind::kNormalizedSumBwd, ir::Pack(a), std::move(inputs));
  NormalizedSumDiffs diffs;
  size_t next = 0;
  for (const SumTerm& term : terms) diffs.gammas.push_back(term.mean == ir::kNoValue ? ir::kNoValue : outputs[next++]);
  diffs.beta = outputs[next];
  diffs.table = next + 1 < outputs.size() ? outputs[next + 1] : ir::kNoValue;
  return diffs;
}

}  // namespace pdarts::ops
