#include "data/cifar.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "data/pickle.h"
#include "data/tar.h"

namespace pdarts::data {
namespace {

constexpr int kSide = 32;
constexpr int64_t kPlane = kSide * kSide;
constexpr int64_t kPixels = 3 * kPlane;

// One of the four official forms.
struct Form {
  const char* dataset;
  bool binary;
  int classes;
  int label_bytes;  // binary: per row; the last one is the label used (CIFAR-100: coarse, then fine)
  std::vector<std::string> train_files;
  const char *test_file, *names_file;
  const char *labels_key, *names_key;  // python
  int64_t train_rows, test_rows;       // of the official archive
  const char *folder, *archive;
};

const std::array<Form, 4>& Forms() {
  static const std::array<Form, 4> kForms = {{
      {"cifar10",
       true,
       10,
       1,
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
       "test_batch.bin",
       "batches.meta.txt",
       "",
       "",
       50000,
       10000,
       "cifar-10-batches-bin",
       "cifar-10-binary.tar.gz"},
      {"cifar10",
       false,
       10,
       0,
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
       "test_batch",
       "batches.meta",
       "labels",
       "label_names",
       50000,
       10000,
       "cifar-10-batches-py",
       "cifar-10-python.tar.gz"},
      {"cifar100",
       true,
       100,
       2,
       {"train.bin"},
       "test.bin",
       "fine_label_names.txt",
       "",
       "",
       50000,
       10000,
       "cifar-100-binary",
       "cifar-100-binary.tar.gz"},
      {"cifar100",
       false,
       100,
       0,
       {"train"},
       "test",
       "meta",
       "fine_labels",
       "fine_label_names",
       50000,
       10000,
       "cifar-100-python",
       "cifar-100-python.tar.gz"},
  }};
  return kForms;
}

// Mean and sd that the field normalises CIFAR with (those of the published P-DARTS code), for either split.
void SetPublishedStatistics(DatasetInfo& info) {
  if (info.name == "cifar10") {
    info.mean = {.49139968, .48215827, .44653124};
    info.sd = {.24703233, .24348505, .26158768};
  } else {
    info.mean = {.5071, .4867, .4408};
    info.sd = {.2675, .2565, .2761};
  }
}

using Files = std::map<std::string, std::string>;  // file name without folder -> content

struct Rows {
  std::vector<uint8_t> pixels;  // height, width, channel
  std::vector<int32_t> labels;
  int64_t limit = 0;  // 0: none
  int64_t seen = 0;   // with those beyond the limit
};

std::string FormName(const Form& form) {
  return fmt::format("{} ({} version)", form.dataset, form.binary ? "binary" : "python");
}

const char* GetAgain(const Form& form) {
  return std::string_view(form.dataset) == "cifar10" ? "get it again, for example with: pdarts data fetch cifar10"
                                                     : "get it again, for example with: pdarts data fetch cifar100";
}

// Adds one image given as three planes (red, green, blue).
void AddRow(Rows& rows, int64_t label, int classes, const char* planes, const std::string& where) {
  if (label < 0 || label >= classes) {
    throw base::DataError(fmt::format("image {} has label {}, out of range for {} classes", rows.seen, label, classes),
                          where, "the file is damaged or belongs to another dataset");
  }
  const bool kept = rows.limit == 0 || rows.seen < rows.limit;
  ++rows.seen;
  if (!kept) return;
  const size_t begin = rows.pixels.size();
  rows.pixels.resize(begin + kPixels);
  uint8_t* out = rows.pixels.data() + begin;
  for (int64_t p = 0; p < kPlane; ++p) {
    for (int64_t c = 0; c < 3; ++c) out[3 * p + c] = static_cast<uint8_t>(planes[c * kPlane + p]);
  }
  rows.labels.push_back(static_cast<int32_t>(label));
}

void DecodeBinary(const Form& form, const std::string& content, const std::string& where, Rows& rows) {
  const int64_t row_size = form.label_bytes + kPixels, size = static_cast<int64_t>(content.size());
  if (size == 0 || size % row_size != 0) {
    throw base::DataError(fmt::format("the batch file has {} bytes, no multiple of {} ({} label, {} pixels)", size,
                                      row_size, form.label_bytes, kPixels),
                          where, GetAgain(form));
  }
  for (int64_t at = 0; at < size; at += row_size) {
    const char* row = content.data() + at;
    AddRow(rows, static_cast<uint8_t>(row[form.label_bytes - 1]), form.classes, row + form.label_bytes, where);
  }
}

void DecodePython(const Form& form, const std::string& content, const std::string& where, Rows& rows) {
  const Pickle pickle(content, where);
  const std::vector<int64_t> labels = pickle.Integers(pickle.Get(pickle.root(), form.labels_key));
  const Pickle::Matrix data = pickle.ByteMatrix(pickle.Get(pickle.root(), "data"));
  if (data.columns != kPixels || data.rows != static_cast<int64_t>(labels.size()) || data.rows == 0) {
    throw base::DataError(
        fmt::format("the batch holds {} rows of {} bytes and {} labels", data.rows, data.columns, labels.size()), where,
        GetAgain(form));
  }
  for (int64_t i = 0; i < data.rows; ++i) AddRow(rows, labels[i], form.classes, data.bytes.data() + i * kPixels, where);
}

// Takes a file out of the map, so that its memory is given back once it is decoded.
std::string TakeFile(const Form& form, Files& files, const std::string& name, const std::string& where) {
  const auto found = files.find(name);
  if (found == files.end())
    throw base::DataError(fmt::format("{} lacks '{}'", FormName(form), name), where, GetAgain(form));
  std::string content = std::move(found->second);
  files.erase(found);
  return content;
}

Rows DecodeSplit(const Form& form, Files& files, const std::vector<std::string>& names, const std::string& where,
                 int64_t limit) {
  Rows rows;
  rows.limit = limit;
  const int64_t expected = names.size() == 1 && names[0] == form.test_file ? form.test_rows : form.train_rows;
  rows.pixels.reserve(static_cast<size_t>((limit > 0 ? std::min(limit, expected) : expected) * kPixels));
  for (const std::string& name : names) {
    const std::string content = TakeFile(form, files, name, where);
    const std::string file = fmt::format("{}, '{}'", where, name);
    form.binary ? DecodeBinary(form, content, file, rows) : DecodePython(form, content, file, rows);
  }
  return rows;
}

std::vector<std::string> ClassNames(const Form& form, const Files& files, const std::string& where) {
  std::vector<std::string> names;
  const auto found = files.find(form.names_file);
  if (found != files.end() && form.binary) {
    std::string line;
    for (const char c : found->second) {
      if (c != '\n') {
        if (c != '\r') line += c;
      } else if (!line.empty()) {
        names.push_back(std::move(line));
        line.clear();
      }
    }
    if (!line.empty()) names.push_back(line);
  } else if (found != files.end()) {
    const Pickle pickle(found->second, fmt::format("{}, '{}'", where, form.names_file));
    names = pickle.Texts(pickle.Get(pickle.root(), form.names_key));
  }
  if (static_cast<int>(names.size()) == form.classes) return names;
  names.clear();  // names are a convenience: a missing or odd list is no reason to refuse the images
  for (int i = 0; i < form.classes; ++i) names.push_back(fmt::format("class {}", i));
  return names;
}

const std::set<std::string, std::less<>>& WantedFiles() {
  static const auto kWanted = [] {
    std::set<std::string, std::less<>> wanted;
    for (const Form& form : Forms()) {
      wanted.insert(form.train_files.begin(), form.train_files.end());
      wanted.insert({form.test_file, form.names_file});
    }
    return wanted;
  }();
  return kWanted;
}

Files ReadArchive(const std::filesystem::path& path) {
  const std::string where = path.string();
  std::array<std::byte, 2> magic{};
  const size_t got = NewFileStream(path)->Read(magic);
  std::unique_ptr<ByteStream> stream = NewFileStream(path);
  if (got == 2 && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b})
    stream = NewGzipStream(std::move(stream), where);
  Files files;
  const auto base_name = [](std::string_view name) { return name.substr(name.rfind('/') + 1); };
  ReadTar(
      *stream, where, [&](std::string_view name) { return WantedFiles().contains(base_name(name)); },
      [&](const std::string& name, std::string content) { files[std::string(base_name(name))] = std::move(content); });
  return files;
}

// How many of a form's files a folder has.
int FilesPresent(const Form& form, const std::filesystem::path& folder) {
  std::error_code ignored;
  int present = std::filesystem::is_regular_file(folder / form.test_file, ignored) ? 1 : 0;
  for (const std::string& name : form.train_files)
    present += std::filesystem::is_regular_file(folder / name, ignored) ? 1 : 0;
  return present;
}

// The folder itself or its official subfolder, whichever holds batch files.
std::filesystem::path FolderOfFiles(const std::filesystem::path& folder) {
  for (const Form& form : Forms()) {
    if (FilesPresent(form, folder) > 0) return folder;
    if (FilesPresent(form, folder / form.folder) > 0) return folder / form.folder;
  }
  return {};
}

Files ReadFolder(const std::filesystem::path& path) {
  const std::filesystem::path folder = FolderOfFiles(path);
  Files files;
  for (const std::string& name : WantedFiles()) {
    std::error_code ignored;
    if (!folder.empty() && std::filesystem::is_regular_file(folder / name, ignored))
      files[name] = base::ReadFile(folder / name);
  }
  return files;
}

const Form& ChooseForm(const Files& files, const std::string& where) {
  const Form* best = nullptr;
  int most = 0;
  for (const Form& form : Forms()) {
    int present = files.contains(form.test_file) ? 1 : 0;
    for (const std::string& name : form.train_files) present += files.contains(name) ? 1 : 0;
    if (present > most) most = present, best = &form;
  }
  if (best != nullptr) return *best;
  throw base::DataError("no CIFAR batch files in it", where,
                        "give the official archive or the folder unpacked from it");
}

void WarnIfPartial(const Form& form, const char* split, const Rows& rows, int64_t official, Splits& splits) {
  if (rows.seen == official) return;
  splits.warnings.push_back(
      fmt::format("{} {} images of {}, where the official archive has {}", rows.seen, split, FormName(form), official));
}

}  // namespace

bool IsCifarFolder(const std::filesystem::path& folder) { return !FolderOfFiles(folder).empty(); }

std::filesystem::path FindCifar(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const Form& form : Forms()) {
    if (form.dataset != name) continue;
    if (std::filesystem::is_regular_file(folder / form.archive, ignored)) return folder / form.archive;
    if (FilesPresent(form, folder) > 0) return folder;
    if (FilesPresent(form, folder / form.folder) > 0) return folder / form.folder;
  }
  return {};
}

Splits OpenCifar(const std::filesystem::path& path, const std::string& expected, int64_t train_limit,
                 int64_t test_limit) {
  const std::string where = path.string();
  const bool folder = std::filesystem::is_directory(path);
  Files files = folder ? ReadFolder(path) : ReadArchive(path);
  const Form& form = ChooseForm(files, where);
  if (!expected.empty() && expected != form.dataset) {
    throw base::DataError(fmt::format("it holds {}, not {}", form.dataset, expected), where,
                          fmt::format("give --dataset {} or another --data", form.dataset));
  }
  DatasetInfo info;
  info.name = form.dataset;
  info.form = fmt::format("{}, {}", form.binary ? "binary" : "python", folder ? "folder" : "archive");
  info.classes = form.classes;
  info.height = info.width = kSide;
  info.class_names = ClassNames(form, files, where);
  SetPublishedStatistics(info);
  Splits splits;
  Rows train = DecodeSplit(form, files, form.train_files, where, train_limit);
  Rows test = DecodeSplit(form, files, {form.test_file}, where, test_limit);
  WarnIfPartial(form, "training", train, form.train_rows, splits);
  WarnIfPartial(form, "test", test, form.test_rows, splits);
  splits.train = std::make_shared<MemoryDataset>(info, std::move(train.pixels), std::move(train.labels));
  splits.test = std::make_shared<MemoryDataset>(info, std::move(test.pixels), std::move(test.labels));
  return splits;
}

}  // namespace pdarts::data
