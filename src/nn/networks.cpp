#include "nn/networks.h"

#include "nn/operations.h"

namespace pdarts::nn {
namespace {

constexpr int kNodes = 4;  // of a cell that is searched

// What a cell receives: c_{k-2} and c_{k-1}, and whether c_{k-2} is twice as large because a reduction came between.
struct CellInputs {
  ValueId previous_previous, previous;
  bool reduction_previous;
};

struct CellPlace {
  std::string name;
  int64_t channels;
  bool reduction;
};

std::vector<ValueId> Preprocess(Layers& layers, const CellInputs& in, const CellPlace& place, bool affine) {
  const std::string first = place.name + ".preprocess0", second = place.name + ".preprocess1";
  const ValueId s0 = in.reduction_previous
                         ? FactorizedReduce(layers, in.previous_previous, first, place.channels, affine)
                         : ReluConvBn(layers, in.previous_previous, first, place.channels, affine);
  return {s0, ReluConvBn(layers, in.previous, second, place.channels, affine)};
}

// Runs `cell` for each place of the network and returns the last output; reductions at cells/3 and 2 cells/3.
template <class Cell>
ValueId StackCells(CellInputs in, int64_t cells, int64_t channels, Cell&& cell) {
  for (int64_t i = 0; i < cells; ++i) {
    const bool reduction = i == cells / 3 || i == 2 * cells / 3;
    if (reduction) channels *= 2;
    const ValueId out = cell(i, in, CellPlace{fmt::format("cells.{}", i), channels, reduction});
    in = {in.previous, out, reduction};
  }
  return in.previous;
}

ValueId CifarStem(Layers& layers, ValueId images, int64_t channels) {
  return layers.BatchNorm(layers.Conv(images, "stem.0", {3 * channels, 3, 3}, {1, 1, 1, 1, 1, 1}), "stem.1",
                          /*affine=*/true);
}

CellInputs ImageNetStem(Layers& layers, ValueId images, int64_t channels) {
  const ops::ConvAttributes half{2, 2, 1, 1, 1, 1};
  ValueId x = layers.BatchNorm(layers.Conv(images, "stem0.0", {channels / 2, 3, 3}, half), "stem0.1", true);
  x = layers.BatchNorm(layers.Conv(layers.Relu(x), "stem0.3", {channels, 3, 3}, half), "stem0.4", true);
  const ValueId y = layers.BatchNorm(layers.Conv(layers.Relu(x), "stem1.1", {channels, 3, 3}, half), "stem1.2", true);
  return {x, y, /*reduction_previous=*/true};
}

// All operations of all edges into a node, weighted: one sum an edge, added up.
ValueId MixedNode(Layers& layers, const std::vector<ValueId>& states, const SearchNetworkSpec& spec,
                  const CellPlace& place, ValueId weights) {
  const auto& edges = place.reduction ? spec.reduce : spec.normal;
  Graph& graph = layers.graph();
  const int64_t columns = graph.shape(weights)[1];
  const size_t node = states.size() - 2, first_edge = node * (node + 3) / 2;
  std::vector<ValueId> sums;
  for (size_t j = 0; j < states.size(); ++j) {
    const size_t edge = first_edge + j;
    const OperationOptions options{place.reduction && j < 2 ? 2 : 1, /*affine=*/false, /*pool_batch_norm=*/true};
    std::vector<ValueId> results;
    std::vector<int64_t> indices;
    for (size_t k = 0; k < edges[edge].size(); ++k) {
      const std::string& operation = edges[edge][k];
      ValueId result =
          Operation(layers, states[j], operation, fmt::format("{}.cell_ops.{}.m_ops.{}", place.name, edge, k), options);
      if (spec.skip_dropout && layers.training() && IsIdentity(operation, options.stride))
        result = layers.Dropout(result, "skip_dropout_rate");
      results.push_back(result);
      indices.push_back(static_cast<int64_t>(edge) * columns + static_cast<int64_t>(k));
    }
    sums.push_back(ops::WeightedSum(graph, results, weights, indices));
  }
  return ops::AddN(graph, sums);
}

ValueId SearchCell(Layers& layers, const CellInputs& in, const CellPlace& place, const SearchNetworkSpec& spec,
                   ValueId weights) {
  const Graph::Scope scope(layers.graph(), place.name);
  std::vector<ValueId> states = Preprocess(layers, in, place, /*affine=*/false);
  for (int node = 0; node < kNodes; ++node) states.push_back(MixedNode(layers, states, spec, place, weights));
  return ops::Concat(layers.graph(), {states.begin() + 2, states.end()});
}

ValueId EvaluationEdge(Layers& layers, ValueId src, const CellEdge& edge, const std::string& name, int64_t stride,
                       bool drop_path) {
  const OperationOptions options{stride, /*affine=*/true, /*pool_batch_norm=*/false};
  const ValueId result = Operation(layers, src, edge.operation, name, options);
  const bool dropped = drop_path && layers.training() && !IsIdentity(edge.operation, stride);
  return dropped ? layers.DropPath(result, "drop_path_rate") : result;
}

ValueId EvaluationCell(Layers& layers, const CellInputs& in, const CellPlace& place,
                       const EvaluationNetworkSpec& spec) {
  const Graph::Scope scope(layers.graph(), place.name);
  const CellSpec& cell = place.reduction ? spec.reduce : spec.normal;
  std::vector<ValueId> states = Preprocess(layers, in, place, /*affine=*/true);
  for (size_t e = 0; e + 1 < cell.edges.size(); e += 2) {
    std::vector<ValueId> pair;
    for (size_t which : {e, e + 1}) {
      const CellEdge& edge = cell.edges[which];
      PD_CHECK(edge.input >= 0 && static_cast<size_t>(edge.input) < states.size(), "edge {} from {}", which,
               edge.input);
      const int64_t stride = place.reduction && edge.input < 2 ? 2 : 1;
      pair.push_back(EvaluationEdge(layers, states[static_cast<size_t>(edge.input)], edge,
                                    fmt::format("{}._ops.{}", place.name, which), stride, spec.drop_path));
    }
    states.push_back(ops::AddN(layers.graph(), pair));
  }
  std::vector<ValueId> concat;
  for (int input : cell.concat) {
    PD_CHECK(input >= 0 && input < static_cast<int>(states.size()), "a cell of {} inputs and nodes has no {}",
             states.size(), input);
    concat.push_back(states[static_cast<size_t>(input)]);
  }
  return ops::Concat(layers.graph(), concat);
}

ValueId AuxiliaryHead(Layers& layers, ValueId src, const EvaluationNetworkSpec& spec) {
  const std::string name = "auxiliary_head";
  const Graph::Scope scope(layers.graph(), name);
  ValueId x = layers.AvgPool(layers.Relu(src), {5, spec.macro == Macro::kCifar ? 3 : 2, 0});
  x = layers.BatchNorm(layers.Conv(x, name + ".features.2", {128, 1, 1}, {}), name + ".features.3", true);
  x = layers.BatchNorm(layers.Conv(layers.Relu(x), name + ".features.5", {768, 2, 2}, {}), name + ".features.6", true);
  x = layers.Relu(x);
  if (layers.graph().shape(x).h() != 1 || layers.graph().shape(x).w() != 1)
    throw base::UsageError("the auxiliary head does not fit this image size", name,
                           "use 32x32 images for the CIFAR network, 224x224 for ImageNet");
  return layers.Linear(layers.GlobalAvgPool(x), name + ".classifier",
                       spec.classes);  // one pixel: the pool only drops two dimensions
}

}  // namespace

NetworkOutputs SearchNetwork(Layers& layers, ValueId images, const SearchNetworkSpec& spec) {
  Graph& graph = layers.graph();
  NetworkOutputs out;
  const auto table = [&](const std::string& name, const auto& edges) {
    PD_CHECK(edges.size() == 14, "{} edges", edges.size());
    const tensor::Shape shape{14, static_cast<int64_t>(edges[0].size())};
    const ValueId alphas = layers.Parameter(name, shape, "normal:0.001", ir::SlotRole::kAlpha);
    out.alphas.push_back(*graph.FindSlot(name));
    return ops::Softmax(graph, alphas);
  };
  const ValueId normal = table("alphas_normal", spec.normal), reduce = table("alphas_reduce", spec.reduce);
  const ValueId stem = CifarStem(layers, images, spec.channels);
  const ValueId last = StackCells({stem, stem, false}, spec.cells, spec.channels,
                                  [&](int64_t, const CellInputs& in, const CellPlace& place) {
                                    return SearchCell(layers, in, place, spec, place.reduction ? reduce : normal);
                                  });
  out.logits = layers.Linear(layers.GlobalAvgPool(last), "classifier", spec.classes);
  return out;
}

NetworkOutputs EvaluationNetwork(Layers& layers, ValueId images, const EvaluationNetworkSpec& spec) {
  NetworkOutputs out;
  CellInputs in{};
  if (spec.macro == Macro::kCifar) {
    const ValueId stem = CifarStem(layers, images, spec.channels);
    in = {stem, stem, false};
  } else {
    in = ImageNetStem(layers, images, spec.channels);
  }
  const ValueId last =
      StackCells(in, spec.cells, spec.channels, [&](int64_t i, const CellInputs& cell_in, const CellPlace& place) {
        const ValueId cell = EvaluationCell(layers, cell_in, place, spec);
        if (i == 2 * spec.cells / 3 && spec.auxiliary && layers.training())
          out.auxiliary_logits = AuxiliaryHead(layers, cell, spec);
        return cell;
      });
  out.logits = layers.Linear(layers.GlobalAvgPool(last), "classifier", spec.classes);
  return out;
}

NetworkSize CountNetwork(const EvaluationNetworkSpec& spec, int64_t image_size) {
  Graph graph;
  Layers layers(graph, {tensor::DType::kF32, Mode::kEvaluation});
  const ValueId images = graph.Input("images", {tensor::DType::kF32, {1, 3, image_size, image_size}});
  EvaluationNetwork(layers, images, spec);
  NetworkSize size = layers.size();
  if (spec.auxiliary) {
    Graph training_graph;
    Layers training(training_graph, {tensor::DType::kF32, Mode::kTraining});
    EvaluationNetwork(training, training_graph.Input("images", {tensor::DType::kF32, {1, 3, image_size, image_size}}),
                      spec);
    size.auxiliary_parameters = training.size().auxiliary_parameters;
  }
  return size;
}

}  // namespace pdarts::nn
