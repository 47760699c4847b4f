// What reference files say of their networks, checked before anything is built from it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "search/network_spec.h"
#include "selftest/vectors.h"

namespace pdarts::selftest {
namespace {

constexpr int64_t kMostCells = 64, kMostChannels = 1024, kMostClasses = 1 << 16, kMostImages = 4096;
constexpr const char* kRemedy = "the metadata and the tensors do not belong together; make the file again";

// The operations that are on, of each edge of one kind of cell.
std::vector<std::vector<std::string>> EdgesOf(const VectorFile& file, const std::string& key) {
  std::vector<std::vector<std::string>> edges;
  try {
    const auto switches = file.Json(key).get<std::vector<std::vector<bool>>>();
    const auto primitives = file.Json("primitives").get<std::vector<std::string>>();
    for (const std::vector<bool>& row : switches) {
      std::vector<std::string>& edge = edges.emplace_back();
      for (size_t k = 0; k < std::min(row.size(), primitives.size()); ++k)
        if (row[k]) edge.push_back(primitives[k]);
    }
  } catch (const nlohmann::json::exception& error) {
    throw base::DataError(fmt::format("__metadata__ '{}' or 'primitives': {}", key, error.what()), file.name, kRemedy);
  }
  const auto well_formed = [&](const std::vector<std::string>& edge) {
    return !edge.empty() && edge.size() == edges[0].size() && std::ranges::all_of(edge, nn::IsOperation);
  };
  if (edges.size() != search::kEdges || !std::ranges::all_of(edges, well_formed))
    throw base::DataError(fmt::format("__metadata__ '{}' is not {} edges of equally many known operations", key,
                                      static_cast<int>(search::kEdges)),
                          file.name, kRemedy);
  return edges;
}

void CheckLabels(const VectorFile& file, const tensor::HostTensor& labels, int64_t classes) {
  for (const double label : labels.ToDoubles())
    if (!(label >= 0 && label < static_cast<double>(classes)))
      throw base::DataError(fmt::format("label {} for {} classes", label, classes), file.name, kRemedy);
}

}  // namespace

nn::SearchNetworkSpec ReadSearchNetwork(const VectorFile& file) {
  return {EdgesOf(file, "switches_normal"), EdgesOf(file, "switches_reduce"), file.Count("layers", kMostCells),
          file.Count("channels", kMostChannels), file.Count("classes", kMostClasses)};
}

nn::EvaluationNetworkSpec ReadEvaluationNetwork(const VectorFile& file) {
  const search::Genotype genotype = search::ParseGenotype(file.Meta("genotype"));
  nn::EvaluationNetworkSpec spec = search::EvaluationNetwork(
      genotype, file.Meta("network") == "imagenet" ? nn::Macro::kImageNet : nn::Macro::kCifar);
  spec.cells = file.Count("layers", kMostCells);
  spec.channels = file.Count("channels", kMostChannels);
  spec.classes = file.Count("classes", kMostClasses);
  spec.drop_path = false;
  return spec;
}

nn::StepOptions ReadStepOptions(const VectorFile& file, tensor::DType dtype) {
  nn::StepOptions options;
  options.batch = file.Count("batch", kMostImages);
  const tensor::HostTensor &images = file.content.At("images", file.name),
                           &labels = file.content.At("labels", file.name);
  const tensor::Shape &i = images.shape(), &l = labels.shape();
  const bool fit = i.rank() == 5 && i[0] > 0 && i[1] == options.batch && i[2] == 3 && i[3] > 0 && i[3] == i[4] &&
                   l.rank() == 2 && l[0] == i[0] && l[1] == options.batch;
  if (!fit)
    throw base::DataError(
        fmt::format("images are {} and labels {}, for batches of {}", i.ToString(), l.ToString(), options.batch),
        file.name, kRemedy);
  CheckLabels(file, labels, file.Count("classes", kMostClasses));
  options.image_size = i[3];
  options.dtype = dtype;
  options.image_layout = tensor::Layout::kPlain;
  options.output_gradients = true;
  if (file.Meta("kind") == "evaluation") {
    options.label_smoothing = file.Number("label_smoothing");
    options.auxiliary_weight = file.Number("auxiliary_weight");
    options.sgd = {file.Number("momentum"), file.Number("weight_decay"), file.Number("grad_clip")};
  }
  return options;
}

}  // namespace pdarts::selftest
