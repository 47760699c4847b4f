// Writes small valid inputs for every fuzz target: FOLDER/TARGET/NAME. With the project's own specs and records as they
// are.
#include <cstdio>
// clang-format off
#include <jpeglib.h>
#include <png.h>
// clang-format on

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "search/genotype.h"
#include "support/files.h"
#include "tensor/safetensors.h"

namespace pdarts::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGenotype =
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('sep_conv_3x3', 0), ('none', 2)], "
    "normal_concat=range(2, 4), reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1)], reduce_concat=[2])";

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}

  void Add(const std::string& target, const std::string& name, std::string_view bytes) const {
    fs::create_directories(folder_ / target);
    base::WriteFileAtomically(folder_ / target / name, bytes);
  }

 private:
  fs::path folder_;
};

// Files of 1 row each, of pixels that pack well: the smaller a seed, the more of it is structure.
void AddCifar(const Seeds& seeds) {
  test::CifarRows rows;
  rows.labels = {3};
  rows.planes = {std::string(3072, '\x55')};
  for (const bool cifar100 : {false, true}) {
    for (const bool binary : {false, true}) {
      test::Entries entries = test::CifarEntries(cifar100, binary, 1);
      for (auto& [path, content] : entries) {
        if (content.size() < 3000) continue;  // class names
        content =
            binary ? test::BinaryBatch(rows, cifar100) : test::PythonBatch(rows, cifar100 ? "fine_labels" : "labels");
      }
      const std::string tar = test::MakeTar(entries), name = fmt::format("{}_{}", cifar100 ? 100 : 10, binary);
      seeds.Add("cifar_fuzz", name + ".tar", tar);
      seeds.Add("cifar_fuzz", name + ".tar.gz", test::Gzip(tar));
      seeds.Add("tar_fuzz", name + ".tar.gz", test::Gzip(tar));
    }
  }
  for (const int protocol : {2, 4})
    seeds.Add("pickle_fuzz", fmt::format("protocol_{}", protocol), test::PythonBatch(rows, "labels", protocol));
  const std::string small = test::MakeTar({{"a/skip", "first"}, {"b", "second"}, {std::string(120, 'x'), "long"}});
  seeds.Add("tar_fuzz", "small.tar", small);
  seeds.Add("tar_fuzz", "two_members.gz", test::Gzip(small.substr(0, 600)) + test::Gzip(small.substr(600)));
}

std::string Png(uint32_t format, int side) {
  std::vector<uint8_t> pixels(static_cast<size_t>(side * side) * PNG_IMAGE_PIXEL_SIZE(format), 0x40);
  pixels[0] = 0xFF;
  const std::vector<uint8_t> palette(256 * PNG_IMAGE_PIXEL_SIZE(PNG_FORMAT_RGB), 0x80);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<uint32_t>(side);
  image.format = format;
  image.colormap_entries = 256;
  png_alloc_size_t size = 0;
  PD_CHECK(png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, palette.data()) != 0);
  std::string bytes(size, '\0');
  PD_CHECK(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, palette.data()) != 0);
  return bytes;
}

std::string Jpeg(J_COLOR_SPACE space, int components, bool progressive) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = info.image_height = 12;
  info.input_components = components;
  info.in_color_space = space;
  jpeg_set_defaults(&info);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < 12; ++y) {
    std::vector<uint8_t> row(static_cast<size_t>(12 * components), static_cast<uint8_t>(20 * y));
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(buffer), size);
  std::free(buffer);
  return bytes;
}

void AddImages(const Seeds& seeds) {
  seeds.Add("image_fuzz", "rgb.png", Png(PNG_FORMAT_RGB, 5));
  seeds.Add("image_fuzz", "rgba.png", Png(PNG_FORMAT_RGBA, 3));
  seeds.Add("image_fuzz", "grey16.png", Png(PNG_FORMAT_LINEAR_Y, 3));
  seeds.Add("image_fuzz", "palette.png", Png(PNG_FORMAT_RGB_COLORMAP, 3));
  seeds.Add("image_fuzz", "rgb.jpg", Jpeg(JCS_RGB, 3, false));
  seeds.Add("image_fuzz", "progressive.jpg", Jpeg(JCS_RGB, 3, true));
  seeds.Add("image_fuzz", "grey.jpg", Jpeg(JCS_GRAYSCALE, 1, false));
  seeds.Add("image_fuzz", "cmyk.jpg", Jpeg(JCS_CMYK, 4, false));
}

void AddTexts(const Seeds& seeds) {
  seeds.Add("genotype_fuzz", "darts", kGenotype);
  seeds.Add("genotype_json_fuzz", "darts.json", search::ToJson(search::ParseGenotype(kGenotype)).dump());
  seeds.Add("configuration_fuzz", "all",
            "# comment\nepochs = 3\nrecipe = released\nrate = 0.25\ntrain-limit = 7\n\n[train]\njson = true\n"
            "arch = cell\ndisable-pass = a\ndisable-pass = b\n[search]\nseed = 1\n");
  for (const char* pattern : {"reproduce", "results/records"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(PDARTS_SOURCE_DIR) / pattern)) {
      if (entry.path().extension() != ".json") continue;
      const bool spec = std::string_view(pattern) == "reproduce";
      // Compact, and of the records the first few: a mutation then hits structure more often than blanks.
      nlohmann::ordered_json value = nlohmann::ordered_json::parse(base::ReadFile(entry.path()));
      if (!spec && value.contains("records") && value["records"].size() > 2)
        value["records"].erase(value["records"].begin() + 2, value["records"].end());
      seeds.Add(spec ? "table_spec_fuzz" : "records_fuzz", entry.path().filename(), value.dump());
    }
  }
}

void AddVectors(const Seeds& seeds) {
  using tensor::DType, tensor::HostTensor, tensor::Shape;
  const auto filled = [](DType dtype, const Shape& shape) {
    return HostTensor::FromDoubles({dtype, shape}, std::vector<double>(static_cast<size_t>(shape.elements()), 1));
  };
  tensor::SafetensorsFile ops;
  nlohmann::json cases;
  const auto add = [&](const char* name, const char* op, int stride,
                       std::vector<std::pair<const char*, Shape>> tensors) {
    cases.push_back(
        {{"case", name}, {"op", op}, {"stride", stride}, {"affine", false}, {"batch_norm_after_pool", true}});
    const int64_t side = 4 / stride;
    tensors.insert(tensors.end(), {{"x", {1, 2, 4, 4}}, {"dx", {1, 2, 4, 4}}, {"y", {1, 2, side, side}}});
    tensors.insert(tensors.end(), {{"dy", {1, 2, side, side}}, {"y_eval", {1, 2, side, side}}});
    for (const auto& [tensor, shape] : tensors)
      ops.tensors[fmt::format("{}.{}", name, tensor)] = filled(DType::kF64, shape);
  };
  add("skip", "skip_connect", 1, {});
  add("pool", "max_pool_3x3", 2, {{"running.1.running_mean", {2}}, {"running.1.running_var", {2}}});
  add("dil", "dil_conv_3x3", 1,
      {{"param.op.1.weight", {2, 1, 3, 3}},
       {"param.op.2.weight", {2, 2, 1, 1}},
       {"dparam.op.1.weight", {2, 1, 3, 3}},
       {"dparam.op.2.weight", {2, 2, 1, 1}},
       {"running.op.3.running_mean", {2}},
       {"running.op.3.running_var", {2}}});
  ops.metadata = {{"kind", "ops"}, {"cases", cases.dump()}};
  seeds.Add("vectors_fuzz", "ops", tensor::FormatSafetensors(ops));

  tensor::SafetensorsFile network;
  network.tensors["images"] = filled(DType::kF32, {1, 1, 3, 2, 2});
  network.tensors["labels"] = filled(DType::kI64, {1, 1});
  network.metadata = {{"layers", "3"}, {"channels", "4"}, {"classes", "10"}, {"batch", "1"}, {"steps", "1"}};
  const nlohmann::json switches(std::vector<std::vector<bool>>(14, {true, false, true}));
  tensor::SafetensorsFile search = network, evaluation = network;
  search.metadata.insert({{"kind", "search"},
                          {"primitives", R"(["none", "skip_connect", "sep_conv_3x3"])"},
                          {"switches_normal", switches.dump()},
                          {"switches_reduce", switches.dump()}});
  evaluation.metadata.insert({{"kind", "evaluation"}, {"network", "cifar"}, {"genotype", kGenotype}});
  for (const char* rate : {"label_smoothing", "auxiliary_weight", "momentum", "weight_decay", "grad_clip"})
    evaluation.metadata[rate] = "0.5";
  seeds.Add("vectors_fuzz", "search", tensor::FormatSafetensors(search));
  seeds.Add("vectors_fuzz", "evaluation", tensor::FormatSafetensors(evaluation));
}

}  // namespace

void MakeSeeds(const fs::path& folder) {
  const Seeds seeds(folder);
  AddCifar(seeds);
  AddImages(seeds);
  AddTexts(seeds);
  AddVectors(seeds);
  tensor::SafetensorsFile file;
  file.metadata = {{"kind", "sample"}};
  file.tensors["w"] = tensor::HostTensor::FromDoubles({tensor::DType::kF32, {1, 2}}, std::vector<double>{1, -2});
  file.tensors["n"] = tensor::HostTensor::FromDoubles({tensor::DType::kI64, {}}, std::vector<double>{7});
  file.tensors["none"] = tensor::HostTensor(tensor::TensorDesc{tensor::DType::kU8, {0, 4}});
  seeds.Add("safetensors_fuzz", "small", tensor::FormatSafetensors(file));
}

}  // namespace pdarts::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_seeds FOLDER\n", stderr);
    return 2;
  }
  pdarts::fuzz::MakeSeeds(argv[1]);
  return 0;
}
