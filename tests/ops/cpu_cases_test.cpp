// The cpu backend against the reference kernels over one table of op cases. Values are small integers over a power of
// two, so that convolutions, pools and sums are exact in f32 and must agree to the bit; what divides or takes roots is
// held to 2e-6.
#include <catch2/catch_test_macros.hpp>

#include "ops/op.h"
#include "ops/ops.h"
#include "support/cpu_case.h"

namespace pdarts::ops {
namespace {

using Case = tests::CpuCase;
using tensor::DType;
using tensor::Shape;

std::vector<Case> ConvolutionCases() {
  std::vector<Case> cases;
  for (int64_t channels : {4, 12, 16, 24, 36})
    for (const auto& [kernel, dilation] : {std::pair<int64_t, int64_t>{3, 1}, {5, 1}, {7, 1}, {3, 2}, {5, 2}})
      for (int64_t stride : {1, 2}) {
        const int64_t pad = dilation * (kernel - 1) / 2;
        cases.push_back({fmt::format("depthwise c{} k{} d{} s{}", channels, kernel, dilation, stride),
                         {Shape{2, channels, 10, 9}, Shape{channels, 1, kernel, kernel}},
                         [=](Graph& g, const auto& x) {
                           return Conv2d(g, x[0], x[1], {stride, stride, pad, pad, dilation, channels});
                         }});
      }
  struct Dense {
    int64_t in, out, kh, kw, stride_h, stride_w, pad_h, pad_w;
  };
  for (const Dense& d :
       {Dense{16, 16, 1, 1, 1, 1, 0, 0}, Dense{4, 4, 1, 1, 1, 1, 0, 0}, Dense{36, 144, 1, 1, 1, 1, 0, 0},
        Dense{24, 12, 1, 1, 2, 2, 0, 0}, Dense{3, 48, 3, 3, 1, 1, 1, 1}, Dense{3, 8, 3, 3, 2, 2, 1, 1},
        Dense{24, 24, 3, 3, 2, 2, 1, 1}, Dense{12, 12, 1, 7, 1, 2, 0, 3}, Dense{12, 12, 7, 1, 2, 1, 3, 0},
        Dense{16, 20, 2, 2, 1, 1, 0, 0}})
    cases.push_back({fmt::format("dense {}->{} {}x{} s{}", d.in, d.out, d.kh, d.kw, d.stride_h),
                     {Shape{2, d.in, 10, 8}, Shape{d.out, d.in, d.kh, d.kw}},
                     [d](Graph& g, const auto& x) {
                       return Conv2d(g, x[0], x[1], {d.stride_h, d.stride_w, d.pad_h, d.pad_w, 1, 1});
                     }});
  return cases;
}

std::vector<Case> PoolCases() {
  const Shape image{2, 12, 8, 6};
  return {{"max pool",
           {image},
           [](Graph& g, const auto& x) {
             return MaxPool(g, x[0], {3, 1, 1});
           }},
          {"max pool stride 2",
           {image},
           [](Graph& g, const auto& x) {
             return MaxPool(g, x[0], {3, 2, 1});
           }},
          {"avg pool",
           {image},
           [](Graph& g, const auto& x) {
             return AvgPool(g, x[0], {3, 1, 1});
           },
           false},
          {"avg pool 5 stride 3",
           {image},
           [](Graph& g, const auto& x) {
             return AvgPool(g, x[0], {5, 3, 0});
           },
           false},
          {"global pool", {image}, [](Graph& g, const auto& x) { return GlobalAvgPool(g, x[0]); }, false}};
}

std::vector<Case> OtherCases() {
  const Shape image{2, 12, 8, 6};
  std::vector<Case> cases = {
      {"relu", {image}, [](Graph& g, const auto& x) { return Relu(g, x[0]); }},
      {"add",
       {image, image},
       [](Graph& g, const auto& x) {
         return AddN(g, {x[0], Scale(g, x[1], 0.5), x[0]});
       }},
      {"concat",
       {image, Shape{2, 5, 8, 6}},
       [](Graph& g, const auto& x) {
         return Concat(g, {x[0], x[1], x[0]});
       }},
      {"slice", {image}, [](Graph& g, const auto& x) { return Slice(g, x[0], 3, 7); }},
      {"subsample 0", {image}, [](Graph& g, const auto& x) { return Subsample(g, x[0], 0); }},
      {"subsample 1", {image}, [](Graph& g, const auto& x) { return Subsample(g, x[0], 1); }},
      {"batch norm",
       {image},
       [](Graph& g, const auto& x) { return BatchNorm(g, x[0], ir::kNoValue, ir::kNoValue, 1e-5).dst; },
       false},
      {"batch norm affine",
       {image, Shape{12}, Shape{12}},
       [](Graph& g, const auto& x) { return BatchNorm(g, x[0], x[1], x[2], 1e-5).dst; },
       false},
      {"running batch norm",
       {image, Shape{12}, Shape{12}},
       [](Graph& g, const auto& x) {
         const auto running = Widen(g, {x[1], x[2]});
         g.Output("mean", running[0]);
         g.Output("variance", running[1]);
         return Relu(g, x[0]);
       }},
      {"linear",
       {Shape{3, 20}, Shape{7, 20}, Shape{7}},
       [](Graph& g, const auto& x) { return Linear(g, x[0], x[1], x[2]); }},
      {"mixed",
       {image, image, Shape{2, 3}},
       [](Graph& g, const auto& x) {
         return WeightedSum(g, {x[0], x[1], Relu(g, x[1])}, Softmax(g, x[2]), {0, 4, 5});
       },
       false},
      {"loss",
       {Shape{3, 5}},
       [](Graph& g, const auto& x) {
         return CrossEntropy(g, x[0], g.Input("labels", {DType::kI32, Shape{3}}), 0.1);
       },
       false}};
  const auto rate = [](Graph& g) { return g.Input("rate", {DType::kF64, Shape{1}}); };
  const auto rng = [](Graph& g) { return g.Input("rng", {DType::kI64, Shape{2}}); };
  cases.push_back(
      {"dropout", {image}, [=](Graph& g, const auto& x) { return Dropout(g, x[0], rate(g), rng(g), {5}); }});
  cases.push_back({"drop path", {image}, [=](Graph& g, const auto& x) {
                     return ScaleSamples(g, x[0], DropPath(g, rate(g), rng(g), {5, g.shape(x[0]).n()}));
                   }});
  return cases;
}

// What the passes fuse: a separable convolution as the cells have it, twice, and a dilated one. Sizes that make several
// tiles of images, the last one smaller; channels that fill no vector; stride 2; a first ReLU that two edges share.
std::vector<Case> SeparableCases() {
  struct Sizes {
    int64_t n, channels, out, side, kernel, stride, dilation;
    bool affine;
  };
  std::vector<Case> cases;
  for (const Sizes& s : {Sizes{3, 12, 12, 9, 3, 1, 1, false}, Sizes{5, 16, 16, 22, 5, 1, 1, true},
                         Sizes{3, 24, 20, 10, 3, 2, 2, true}, Sizes{2, 4, 12, 11, 5, 2, 1, false}}) {
    const Shape weights{s.channels, 1, s.kernel, s.kernel}, wide{s.out, 1, s.kernel, s.kernel};
    const auto build = [s](Graph& g, const auto& x) {
      const int64_t pad = s.dilation * (s.kernel - 1) / 2;
      const auto norm = [&](ValueId src, size_t gamma) {
        return BatchNorm(g, src, s.affine ? x[gamma] : ir::kNoValue, s.affine ? x[gamma + 1] : ir::kNoValue, 1e-5).dst;
      };
      const ValueId shared = Relu(g, x[0]);
      const auto half = [&](ValueId src, size_t at, int64_t stride, int64_t channels) {
        return Conv2d(g, Conv2d(g, src, x[at], {stride, stride, pad, pad, s.dilation, channels}), x[at + 1], {});
      };
      const ValueId first = norm(half(shared, 1, s.stride, s.channels), 7);
      const ValueId second = norm(half(Relu(g, first), 3, 1, s.out), 9);
      return AddN(g, {second, norm(half(shared, 5, s.stride, s.channels), 11)});
    };
    std::vector<Shape> inputs = {Shape{s.n, s.channels, s.side, s.side},
                                 weights,
                                 Shape{s.out, s.channels, 1, 1},
                                 wide,
                                 Shape{s.out, s.out, 1, 1},
                                 weights,
                                 Shape{s.out, s.channels, 1, 1}};
    if (s.affine) inputs.insert(inputs.end(), 6, Shape{s.out});
    cases.push_back({fmt::format("separable n{} c{} k{} s{} d{}", s.n, s.channels, s.kernel, s.stride, s.dilation),
                     std::move(inputs), build, false});
  }
  return cases;
}

// The factors of dropped samples.
ValueId Dropped(Graph& g, int64_t samples, int64_t op_id) {
  return DropPath(g, g.Input("rate", {DType::kF64, Shape{1}}), g.Input("rng", {DType::kI64, Shape{2}}),
                  {op_id, samples});
}

// Branches of one separable node: windows of {kernel, dilation} that all pad to the same size.
struct Branches {
  std::vector<std::pair<int64_t, int64_t>> windows;
  int64_t stride, out;
  bool normalized = false, affine = false;
  int64_t sources = 1, groups = 1;
  SeparableAttributes Attributes() const {
    SeparableAttributes a;
    for (const auto& [kernel, dilation] : windows) {
      a.stride.push_back(stride), a.pad.push_back(dilation * (kernel / 2)), a.dilation.push_back(dilation);
      a.groups.push_back(groups);
    }
    a.normalized = normalized, a.affine = affine, a.relu = 1, a.sources = sources;
    return a;
  }
  // The shapes of all inputs: a source, gamma and beta of its normalisation, then for each branch the weights,
  // diff_dst, gamma, then the table. The other sources are multiples of the first.
  std::vector<Shape> Shapes(const Shape& src) const {
    const int64_t height = (src.h() - 1) / stride + 1, width = (src.w() - 1) / stride + 1;
    std::vector<Shape> shapes = {src, Shape{src.c()}, Shape{src.c()}};
    for (const auto& [kernel, dilation] : windows)
      shapes.insert(shapes.end(),
                    {Shape{sources * src.c(), 1, kernel, kernel}, Shape{out, sources * src.c() / groups, 1, 1},
                     Shape{src.n(), out, height, width}, Shape{out}});
    shapes.push_back(Shape{2, 3});
    return shapes;
  }
  std::vector<ValueId> SourceInputs(Graph& g, const std::vector<ValueId>& x) const {
    std::vector<ValueId> inputs = {x[0]};
    for (int64_t i = 1; i < sources; ++i) inputs.push_back(Scale(g, x[0], static_cast<double>(i) + 1));
    if (!normalized) return inputs;
    const auto statistics = Emit(g, ir::OpKind::kBatchNormStatistics, {}, {x[0]});
    inputs.insert(inputs.end(), statistics.begin(), statistics.end());
    if (affine) inputs.insert(inputs.end(), {x[1], x[2]});
    return inputs;
  }
  std::vector<ValueId> Forward(Graph& g, const std::vector<ValueId>& x) const {
    std::vector<ValueId> inputs = SourceInputs(g, x);
    for (size_t b = 0; b < windows.size(); ++b) inputs.insert(inputs.end(), {x[3 + 4 * b], x[4 + 4 * b]});
    return Separable(g, std::move(inputs), Attributes());
  }
  // The branches take turns in having a weight in a mixed sum, a gamma and samples that are dropped.
  std::vector<ValueId> Backward(Graph& g, const std::vector<ValueId>& x, bool mask, bool weights) const {
    const auto forward = Forward(g, x);
    SeparableBwdAttributes a{Attributes(), mask, weights, {}, {}};
    std::vector<ValueId> inputs = SourceInputs(g, x);
    for (size_t b = 0; b < windows.size(); ++b) {
      const auto own = x.begin() + 3 + 4 * static_cast<std::ptrdiff_t>(b);
      a.index.push_back(b % 2 == 0 ? static_cast<int64_t>(b) + 1 : -1);
      a.dst_affine.push_back(b % 3 == 1);
      a.paths.push_back(b > 0);
      const ValueId dst = forward[3 * b], mean = forward[3 * b + 1], variance = forward[3 * b + 2];
      const auto sums =
          Emit(g, ir::OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{}), {dst, mean, variance, own[2]});
      inputs.insert(inputs.end(), {own[0], own[1], dst, mean, variance, own[2], sums[0], sums[1]});
      if (a.dst_affine[b] != 0) inputs.push_back(own[3]);
      if (a.index[b] >= 0) inputs.push_back(x.back());
      if (a.paths[b] != 0) inputs.push_back(Dropped(g, g.shape(own[2]).n(), static_cast<int64_t>(b)));
    }
    return SeparableBwd(g, std::move(inputs), a);
  }
};

std::vector<Case> BranchCases() {
  std::vector<Case> cases;
  const auto name_rest = [](Graph& g, const std::vector<ValueId>& outputs) {
    for (size_t i = 1; i < outputs.size(); ++i) g.Output(fmt::format("output{}", i), outputs[i]);
    return outputs[0];
  };
  const Shape small{3, 12, 9, 8}, large{5, 16, 22, 22};
  const std::vector<std::pair<int64_t, int64_t>> paper = {{3, 1}, {5, 1}, {3, 2}, {5, 2}};
  for (const auto& [src, branches] :
       {std::pair{small, Branches{paper, 1, 12}}, std::pair{large, Branches{paper, 2, 20}},
        std::pair{small, Branches{{{3, 1}, {3, 2}}, 1, 12, false, false, 4}},
        std::pair{large, Branches{{{3, 1}}, 1, 16, false, false, 2}},
        std::pair{small, Branches{paper, 1, 12, false, false, 1, 2}},
        std::pair{large, Branches{{{3, 1}, {5, 1}}, 2, 24, false, false, 2, 4}},
        std::pair{small, Branches{{{3, 1}, {3, 1}}, 2, 12, true}},
        std::pair{small, Branches{{{7, 1}, {3, 2}}, 1, 4, true, true}},
        std::pair{large, Branches{{{5, 1}}, 1, 16, true, true}}}) {
    const std::string name = fmt::format("separable x{} s{} normalized {} affine {} sources {} groups {} {}",
                                         branches.windows.size(), branches.stride, branches.normalized, branches.affine,
                                         branches.sources, branches.groups, src.ToString());
    cases.push_back({name, branches.Shapes(src),
                     [=](Graph& g, const auto& x) { return name_rest(g, branches.Forward(g, x)); }, false});
    // Without a normalisation each dst is exact.
    if (!branches.normalized)
      cases.push_back({name + " dst", branches.Shapes(src), [=](Graph& g, const auto& x) {
                         const auto outputs = branches.Forward(g, x);
                         for (size_t i = 3; i < outputs.size(); i += 3) g.Output(fmt::format("dst{}", i), outputs[i]);
                         return outputs[0];
                       }});
    for (const bool mask : {false, true})
      for (const bool weights : {false, true}) {
        if (branches.normalized && !mask) continue;  // the sum of an unmasked diff_src is zero but for rounding
        cases.push_back({fmt::format("{} backward, mask {} weights {}", name, mask, weights), branches.Shapes(src),
                         [=](Graph& g, const auto& x) { return name_rest(g, branches.Backward(g, x, mask, weights)); },
                         false});
      }
  }
  return cases;
}

SumTerm NormalizedTerm(Graph& g, ValueId src) {
  const auto statistics = Emit(g, ir::OpKind::kBatchNormStatistics, {}, {src});
  return {src, statistics[0], statistics[1]};
}

std::vector<Case> DroppedSumCases() {
  const Shape image{2, 12, 8, 6}, table{2, 3};
  const auto inputs = [](Graph& g, ValueId first, ValueId a, ValueId b) {
    const SumTerm t = NormalizedTerm(g, a);
    return std::vector<ValueId>{first,
                                b,
                                t.src,
                                t.mean,
                                t.variance,
                                a,
                                g.Input("rate", {DType::kF64, Shape{1}}),
                                g.Input("rng", {DType::kI64, Shape{2}})};
  };
  const NormalizedSumAttributes drops{{3, 1, 2}, {0, 1, 0}, 1e-5, {5, -1, 6}};
  const auto sum = [=](Graph& g, const auto& x) {
    return Emit(g, ir::OpKind::kNormalizedSum, ir::Pack(drops), inputs(g, x[2], x[0], x[1]))[0];
  };
  const auto backward = [=](Graph& g, const auto& x) {
    return Emit(g, ir::OpKind::kNormalizedSumBwd, ir::Pack(NormalizedSumBwdAttributes{drops, 2, 3}),
                inputs(g, x[2], x[0], x[1]))[2];
  };
  return {{"normalized sum of dropped terms", {image, image, table}, sum, false},
          {"normalized sum of dropped terms backward", {image, image, image}, backward, false}};
}

std::vector<Case> PathSumCases() {
  const Shape image{5, 12, 8, 6}, channels{12};
  const auto terms = [](Graph& g, const std::vector<ValueId>& x) {
    const SumTerm a = NormalizedTerm(g, x[0]), b = NormalizedTerm(g, x[1]);
    const int64_t n = g.shape(x[0]).n();
    return std::vector<PathTerm>{{a.src, a.mean, a.variance, x[2], x[3], Dropped(g, n, 1)},
                                 {b.src, b.mean, b.variance, ir::kNoValue, ir::kNoValue, Dropped(g, n, 2)},
                                 {b.src, b.mean, b.variance, x[3], x[2]}};
  };
  const auto sum = [=](Graph& g, const auto& x) {
    std::vector<PathTerm> all = terms(g, x);
    all.push_back({.src = x[1]});
    all.push_back({.src = x[0], .factors = Dropped(g, g.shape(x[0]).n(), 3)});
    return PathSum(g, all, 1e-5);
  };
  const auto backward = [=](Graph& g, const auto& x) {
    const PathSumDiffs diffs = PathSumBwd(g, x[4], terms(g, x), 1e-5);
    for (size_t k = 1; k < diffs.gammas.size(); ++k) g.Output(fmt::format("gamma{}", k), diffs.gammas[k]);
    for (size_t k = 0; k < diffs.betas.size(); ++k) g.Output(fmt::format("beta{}", k), diffs.betas[k]);
    return diffs.gammas[0];
  };
  const auto factors = [](Graph& g, const auto& x) {
    const ValueId rate = g.Input("odd_rate", {DType::kF64, Shape{1}}), rng = g.Input("rng", {DType::kI64, Shape{2}});
    g.Output("factors", DropPath(g, rate, rng, {5, 64}));
    return x[0];
  };
  return {{"factors of drop path", {image}, factors},
          {"path sum", {image, image, channels, channels}, sum, false},
          {"path sum backward", {image, image, channels, channels, image}, backward, false}};
}

// Of ops that only passes build: what has several outputs names all but the first itself.
std::vector<Case> FusedCases() {
  const Shape image{2, 12, 8, 6}, table{2, 3};
  const auto terms = [=](Graph& g, ValueId a, ValueId b) {
    return std::vector<SumTerm>{NormalizedTerm(g, a),
                                {b},
                                NormalizedTerm(g, Relu(g, b)),
                                NormalizedTerm(g, Scale(g, a, 3)),
                                NormalizedTerm(g, b)};
  };
  const std::vector<int64_t> indices = {0, 4, 5, 1, 0};
  std::vector<Case> cases = {
      {"normalized sum",
       {image, image, table},
       [=](Graph& g, const auto& x) { return NormalizedSum(g, x[2], terms(g, x[0], x[1]), indices, 1e-5); },
       false},
      {"a sum of batch norms and its gradients",
       {image, image, table},
       [](Graph& g, const auto& x) {
         const auto norm = [&](ValueId src) { return BatchNorm(g, src, ir::kNoValue, ir::kNoValue, 1e-5).dst; };
         const ValueId pool = norm(AvgPool(g, x[1], {3, 1, 1}));
         const ValueId sum = WeightedSum(g, {norm(x[0]), x[1], pool}, Softmax(g, x[2]), {0, 4, 5});
         return AddN(g, {sum, WeightedSum(g, {Relu(g, sum), pool}, Softmax(g, x[2]), {1, 2})});
       },
       false}};
  for (const bool with_table : {false, true})
    cases.push_back({fmt::format("normalized sum backward, table {}", with_table),
                     {image, image, image},
                     [=](Graph& g, const auto& x) {
                       const auto diffs = NormalizedSumBwd(g, x[2], terms(g, x[0], x[1]), indices, 1e-5,
                                                           with_table ? 2 : 0, with_table ? 3 : 0);
                       for (size_t k : {2, 3, 4}) g.Output(fmt::format("gamma{}", k), diffs.gammas[k]);
                       g.Output("beta", diffs.beta);
                       if (with_table) g.Output("table", diffs.table);
                       return diffs.gammas[0];
                     },
                     false});
  for (const bool affine : {false, true})
    cases.push_back({fmt::format("weighted batch norm backward, affine {}", affine),
                     {image, image, table, Shape{12}},
                     [=](Graph& g, const auto& x) {
                       const SumTerm t = NormalizedTerm(g, x[0]);
                       const auto sums = Emit(g, ir::OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{}),
                                              {t.src, t.mean, t.variance, x[1]});
                       std::vector<ValueId> inputs = {t.src, t.mean, t.variance, x[1], sums[0], sums[1]};
                       if (affine) inputs.push_back(x[3]);
                       inputs.push_back(x[2]);
                       const auto attributes = ir::Pack(BatchNormBwdDataAttributes{{1e-5}, 4});
                       return Emit(g, ir::OpKind::kBatchNormBwdData, attributes, std::move(inputs))[0];
                     },
                     false});
  return cases;
}

// The pools of one tensor with their normalisations; of two diffs the second branch takes one only.
ValueId PoolNorms(Graph& g, const std::vector<ValueId>& x, const PoolNormBwdAttributes& a, bool backward) {
  const auto forward = PoolNorm(g, x[0], {PoolAttributes(a), a.max});
  std::vector<ValueId> inputs = {x[3]}, branches;
  if (a.add != 0) inputs.push_back(x[4]);
  inputs.insert(inputs.end(), {x[1], x[2]});
  size_t next = 0;
  for (size_t b = 0; b < a.branches(); ++b) {
    const ValueId dst = forward[next], mean = forward[next + 1], variance = forward[next + 2];
    if (!backward) {
      branches.push_back(dst);
      g.Output(fmt::format("mean{}", b), mean);
      g.Output(fmt::format("variance{}", b), variance);
    }
    const auto sums =
        Emit(g, ir::OpKind::kBatchNormBwdSums, ir::Pack(BatchNormAttributes{}), {dst, mean, variance, x[1]});
    inputs.insert(inputs.end(), {dst, mean, variance, sums[0], sums[1]});
    if (a.max[b] != 0) inputs.push_back(forward[next + 3]);
    next += a.max[b] != 0 ? 4 : 3;
  }
  if (!a.drops.empty())
    inputs.insert(inputs.end(), {g.Input("rate", {DType::kF64, Shape{1}}), g.Input("rng", {DType::kI64, Shape{2}})});
  if (!backward) return Concat(g, branches);
  if (a.sums != 0) {
    const auto statistics = Emit(g, ir::OpKind::kBatchNormStatistics, {}, {x[0]});
    inputs.insert(inputs.end(), {x[0], statistics[0], statistics[1]});
  }
  const auto outputs = PoolNormBwd(g, std::move(inputs), a);
  for (size_t i = 1; i < outputs.size(); ++i) g.Output(fmt::format("sum{}", i), outputs[i]);
  return outputs[0];
}

std::vector<Case> PoolNormCases() {
  std::vector<Case> cases;
  for (const auto& [src, window] : {std::pair{Shape{3, 12, 9, 8}, PoolAttributes{3, 1, 1}},
                                    std::pair{Shape{2, 36, 32, 30}, PoolAttributes{3, 1, 1}},
                                    std::pair{Shape{5, 16, 20, 22}, PoolAttributes{3, 2, 1}}})
    for (const std::vector<int64_t>& max : {std::vector<int64_t>{1, 0}, {0, 1}, {0}, {1}})
      for (const int64_t add : {0, 1}) {
        PoolNormBwdAttributes a{{window, src.h(), src.w()}, max, {4, 1}, add};
        a.sums = add == 0 || max.size() == 2;
        if (max.size() == 2) a.indices.insert(a.indices.end(), {-1, 5});
        a.indices.insert(a.indices.end(), {-1, add == 0 || window.stride > 1 ? -1 : 3});
        const Shape dst{src.n(), src.c(), (src.h() - 1) / window.stride + 1, (src.w() - 1) / window.stride + 1};
        const std::vector<Shape> inputs = {src, dst, dst, Shape{2, 3}, src};
        for (const bool backward : {false, true})
          cases.push_back({fmt::format("pool norm x{} max {} s{} add {} backward {}", max.size(), max[0], window.stride,
                                       add, backward),
                           inputs, [=](Graph& g, const auto& x) { return PoolNorms(g, x, a, backward); }, false});
        if (window.stride > 1) continue;
        // Both diffs dropped, or one beside another that is not.
        a.indices[a.indices.size() - 2] = 2, a.indices.back() = 3, a.drops = {9, add == 0 ? 7 : -1};
        cases.push_back({fmt::format("pool norm x{} max {} add {} dropped", max.size(), max[0], add), inputs,
                         [=](Graph& g, const auto& x) { return PoolNorms(g, x, a, true); }, false});
      }
  return cases;
}

TEST_CASE("cpu convolutions are exact on integers, on every instruction set", "[cpu]") {
  tests::CheckOnCpuSets(ConvolutionCases());
}

TEST_CASE("cpu ops agree with the reference, on every instruction set", "[cpu]") {
  for (const auto& cases : {OtherCases(), PoolCases(), SeparableCases(), FusedCases(), DroppedSumCases(),
                            PathSumCases(), BranchCases(), PoolNormCases()})
    tests::CheckOnCpuSets(cases);
}

}  // namespace
}  // namespace pdarts::ops
