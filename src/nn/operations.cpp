#include "nn/operations.h"

#include <algorithm>

namespace pdarts::nn {
namespace {

constexpr const char* kOperations[] = {"none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
                                       "sep_conv_5x5", "sep_conv_7x7", "dil_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7"};

ValueId Depthwise(Layers& layers, ValueId src, const std::string& name, int64_t kernel, int64_t stride,
                  int64_t dilation) {
  const int64_t channels = layers.graph().shape(src).c(), pad = dilation * (kernel / 2);
  return layers.Conv(src, name, {channels, kernel, kernel}, {stride, stride, pad, pad, dilation, channels});
}

ValueId Pointwise(Layers& layers, ValueId src, const std::string& name, int64_t channels) {
  return layers.Conv(src, name, {channels, 1, 1}, {});
}

ValueId SeparableConv(Layers& layers, ValueId src, const std::string& name, int64_t kernel,
                      const OperationOptions& options) {
  const int64_t channels = layers.graph().shape(src).c();
  ValueId x = Depthwise(layers, layers.Relu(src), name + ".op.1", kernel, options.stride, 1);
  x = layers.BatchNorm(Pointwise(layers, x, name + ".op.2", channels), name + ".op.3", options.affine);
  x = Depthwise(layers, layers.Relu(x), name + ".op.5", kernel, 1, 1);
  return layers.BatchNorm(Pointwise(layers, x, name + ".op.6", channels), name + ".op.7", options.affine);
}

ValueId DilatedConv(Layers& layers, ValueId src, const std::string& name, int64_t kernel,
                    const OperationOptions& options) {
  const int64_t channels = layers.graph().shape(src).c();
  const ValueId x = Depthwise(layers, layers.Relu(src), name + ".op.1", kernel, options.stride, 2);
  return layers.BatchNorm(Pointwise(layers, x, name + ".op.2", channels), name + ".op.3", options.affine);
}

ValueId Conv7x1Conv1x7(Layers& layers, ValueId src, const std::string& name, const OperationOptions& options) {
  const int64_t channels = layers.graph().shape(src).c();
  ValueId x = layers.Conv(layers.Relu(src), name + ".1", {channels, 1, 7}, {1, options.stride, 0, 3, 1, 1});
  x = layers.Conv(x, name + ".2", {channels, 7, 1}, {options.stride, 1, 3, 0, 1, 1});
  return layers.BatchNorm(x, name + ".3", options.affine);
}

ValueId Pool(Layers& layers, ValueId src, const std::string& name, bool max, const OperationOptions& options) {
  const ops::PoolAttributes attributes{3, options.stride, 1};
  const ValueId x = max ? layers.MaxPool(src, attributes) : layers.AvgPool(src, attributes);
  return options.pool_batch_norm ? layers.BatchNorm(x, name + ".1", /*affine=*/false) : x;
}

ValueId None(Layers& layers, ValueId src, int64_t stride) {
  const tensor::Shape s = layers.graph().shape(src);
  return ops::Zeros(layers.graph(),
                    {layers.dtype(), {s.n(), s.c(), (s.h() - 1) / stride + 1, (s.w() - 1) / stride + 1}});
}

}  // namespace

bool IsOperation(const std::string& name) {
  return std::find(std::begin(kOperations), std::end(kOperations), name) != std::end(kOperations);
}

bool IsIdentity(const std::string& operation, int64_t stride) { return operation == "skip_connect" && stride == 1; }

ValueId Operation(Layers& layers, ValueId src, const std::string& operation, const std::string& name,
                  const OperationOptions& options) {
  if (operation == "none") return None(layers, src, options.stride);
  if (operation == "max_pool_3x3" || operation == "avg_pool_3x3")
    return Pool(layers, src, name, operation[0] == 'm', options);
  if (operation == "skip_connect")
    return options.stride == 1 ? src
                               : FactorizedReduce(layers, src, name, layers.graph().shape(src).c(), options.affine);
  if (operation == "sep_conv_3x3") return SeparableConv(layers, src, name, 3, options);
  if (operation == "sep_conv_5x5") return SeparableConv(layers, src, name, 5, options);
  if (operation == "sep_conv_7x7") return SeparableConv(layers, src, name, 7, options);
  if (operation == "dil_conv_3x3") return DilatedConv(layers, src, name, 3, options);
  if (operation == "dil_conv_5x5") return DilatedConv(layers, src, name, 5, options);
  if (operation == "conv_7x1_1x7") return Conv7x1Conv1x7(layers, src, name, options);
  throw base::UsageError(fmt::format("no operation is called '{}'", operation), name,
                         "known: " + fmt::format("{}", fmt::join(kOperations, ", ")));
}

ValueId ReluConvBn(Layers& layers, ValueId src, const std::string& name, int64_t channels, bool affine) {
  return layers.BatchNorm(Pointwise(layers, layers.Relu(src), name + ".op.1", channels), name + ".op.2", affine);
}

namespace {

// What the two convolutions of a factorized reduction read of src [N, C, H, W], side by side: [N, 2 C, H / 2, W / 2].
// Of a cell's output, that of each of its nodes, so that the cell's concat need not exist.
ValueId TakenPixels(Graph& graph, ValueId src) {
  const ir::Node& producer = graph.node(graph.value(src).producer);
  const std::vector<ValueId> parts = producer.kind == ir::OpKind::kConcat ? producer.inputs : std::vector<ValueId>{src};
  std::vector<ValueId> taken;
  for (int64_t offset : {0, 1})
    for (ValueId part : parts) taken.push_back(ops::Subsample(graph, part, offset));
  return ops::Concat(graph, taken);
}

}  // namespace

// As published: ReLU, then two 1x1 convolutions of stride 2, the second on the map shifted by one pixel, side by side.
// The ReLU of the pixels that are taken is the same; and two convolutions of different inputs, with their results side
// by side, are one of two groups.
ValueId FactorizedReduce(Layers& layers, ValueId src, const std::string& name, int64_t channels, bool affine) {
  const tensor::Shape s = layers.graph().shape(src);
  if (s.h() % 2 != 0 || s.w() % 2 != 0 || channels % 2 != 0)
    throw base::UsageError(
        fmt::format("a reduction needs an even image and width, not {}x{} and {} channels", s.h(), s.w(), channels),
        name, "choose an image size that halves evenly at each reduction, and an even --channels");
  const ValueId pixels = layers.ReluOf(TakenPixels(layers.graph(), src), s);
  const ValueId dst = layers.GroupedPointwise(pixels, {name + ".conv_1", name + ".conv_2"}, channels);
  return layers.BatchNorm(dst, name + ".bn", affine);
}

}  // namespace pdarts::nn
