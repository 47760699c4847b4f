#include "support/files.h"

#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "base/error.h"
#include "base/philox.h"

namespace pdarts::test {
namespace {

std::string LittleEndian(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i);
  return text;
}

// Writes pickle operations, numbering the memo as cPickle does.
class PickleWriter {
 public:
  explicit PickleWriter(int protocol) : modern_(protocol >= 4) {
    out_ += "\x80" + LittleEndian(static_cast<uint64_t>(protocol), 1);
    if (modern_) out_ += "\x95" + LittleEndian(0, 8);
  }

  void Op(std::string_view bytes) { out_ += bytes; }
  void Memo() {
    if (modern_) {
      out_ += '\x94';
    } else {
      out_ += memo_ < 256 ? "q" + LittleEndian(memo_, 1) : "r" + LittleEndian(memo_, 4);
      ++memo_;
    }
  }
  void Text(const std::string& text) {
    out_ += (modern_ ? "\x8c" : "U") + LittleEndian(text.size(), 1) + text;
    Memo();
  }
  void Bytes(const std::string& bytes) {
    out_ += (modern_ ? "B" : "T") + LittleEndian(bytes.size(), 4) + bytes;
    Memo();
  }
  void Integer(int number) {
    out_ += number < 256 ? "K" + LittleEndian(static_cast<uint64_t>(number), 1)
                         : "M" + LittleEndian(static_cast<uint64_t>(number), 2);
  }
  void Global(const std::string& module, const std::string& name) {
    if (modern_) {
      Text(module);
      Text(name);
      out_ += '\x93';
    } else {
      out_ += "c" + module + "\n" + name + "\n";
    }
    Memo();
  }
  std::string Finish() { return out_ + "."; }

 private:
  bool modern_;
  uint64_t memo_ = 1;
  std::string out_;
};

void WriteArray(PickleWriter& out, int rows, int columns, const std::string& bytes) {
  out.Global("numpy.core.multiarray", "_reconstruct");
  out.Global("numpy", "ndarray");
  out.Integer(0);
  out.Op("\x85");
  out.Text("b");
  out.Op("\x87");
  out.Op("R");
  out.Memo();
  out.Op("(");
  out.Integer(1);
  out.Integer(rows);
  out.Integer(columns);
  out.Op("\x86");
  out.Global("numpy", "dtype");
  out.Text("u1");
  out.Integer(0);
  out.Integer(1);
  out.Op("\x87");
  out.Op("R");
  out.Memo();
  out.Op("(");
  out.Integer(3);
  out.Text("|");
  out.Op("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff");
  out.Op("K" + LittleEndian(0, 1) + "t");
  out.Op("b");
  out.Op("\x89");
  out.Bytes(bytes);
  out.Op("t");
  out.Op("b");
}

std::string NamesPickle(const std::string& key, int classes) {
  PickleWriter out(2);
  out.Op("}");
  out.Op("(");
  out.Text(key);
  out.Op("](");
  for (int i = 0; i < classes; ++i) out.Text(fmt::format("name {}", i));
  out.Op("eu");
  return out.Finish();
}

}  // namespace

std::optional<std::filesystem::path> Shared(const std::string& name) {
  const char* folder = std::getenv("PDARTS_SHARED");
  const std::filesystem::path path = std::filesystem::path(folder == nullptr ? "../shared" : folder) / name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return path;
}

std::string MakeTar(const Entries& entries) {
  std::string tar;
  for (const auto& [path, content] : entries) {
    std::string header(512, '\0');
    const bool folder = path.ends_with('/');
    header.replace(0, path.size(), path);
    header.replace(100, 8, fmt::format("{:07o}", 0644) + '\0');
    header.replace(124, 12, fmt::format("{:011o}", content.size()) + '\0');
    header.replace(136, 12, fmt::format("{:011o}", 0) + '\0');
    header[156] = folder ? '5' : '0';
    header.replace(257, 8, std::string("ustar\0", 6) + "00");
    header.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    header.replace(148, 8, fmt::format("{:06o}", sum) + '\0' + ' ');
    tar += header + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  return tar + std::string(1024, '\0');
}

std::string Gzip(std::string_view bytes) {
  z_stream zlib{};
  if (deflateInit2(&zlib, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string out(deflateBound(&zlib, bytes.size()), '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zlib.avail_in = static_cast<uInt>(bytes.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&zlib, Z_FINISH);
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

CifarRows MakeRows(int count, int classes, int salt) {
  CifarRows rows;
  base::RandomSequence draws(static_cast<uint64_t>(salt), base::RandomStream::kTest);
  for (int i = 0; i < count; ++i) {
    rows.labels.push_back((i + salt) % classes);
    std::string& planes = rows.planes.emplace_back(3072, '\0');
    for (char& byte : planes) byte = static_cast<char>(draws.Bits());
  }
  return rows;
}

std::string BinaryBatch(const CifarRows& rows, bool cifar100) {
  std::string batch;
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    if (cifar100) batch += static_cast<char>(rows.labels[i] / 5);
    batch += static_cast<char>(rows.labels[i]);
    batch += rows.planes[i];
  }
  return batch;
}

std::string PythonBatch(const CifarRows& rows, const std::string& labels_key, int protocol) {
  PickleWriter out(protocol);
  out.Op("}");
  out.Memo();
  out.Op("(");
  out.Text("batch_label");
  out.Text("training batch 1 of 5");
  out.Text(labels_key);
  out.Op("]");
  out.Memo();
  for (size_t i = 0; i < rows.labels.size();) {  // Python appends at most 1000 items at once
    out.Op("(");
    for (const size_t end = std::min(rows.labels.size(), i + 1000); i < end; ++i) out.Integer(rows.labels[i]);
    out.Op("e");
  }
  out.Text("data");
  std::string bytes;
  for (const std::string& planes : rows.planes) bytes += planes;
  WriteArray(out, static_cast<int>(rows.labels.size()), 3072, bytes);
  out.Op("u");
  return out.Finish();
}

Entries CifarEntries(bool cifar100, bool binary, int per_file) {
  const int classes = cifar100 ? 100 : 10;
  const auto batch = [&](int salt) {
    const CifarRows rows = MakeRows(per_file, classes, salt);
    return binary ? BinaryBatch(rows, cifar100) : PythonBatch(rows, cifar100 ? "fine_labels" : "labels");
  };
  std::string names;
  for (int i = 0; i < classes; ++i) names += fmt::format("name {}\n", i);
  const std::string folder = cifar100 ? (binary ? "cifar-100-binary/" : "cifar-100-python/")
                             : binary ? "cifar-10-batches-bin/"
                                      : "cifar-10-batches-py/";
  const std::string suffix = binary ? ".bin" : "";
  Entries entries = {{folder, ""}, {folder + "readme.html", "<html>"}};
  if (cifar100) {
    entries.push_back({folder + "test" + suffix, batch(9)});
    entries.push_back({folder + "train" + suffix, batch(1)});
    entries.push_back(
        {folder + (binary ? "fine_label_names.txt" : "meta"), binary ? names : NamesPickle("fine_label_names", 100)});
    return entries;
  }
  for (const int number : {4, 1, 3, 2, 5})
    entries.push_back({fmt::format("{}data_batch_{}{}", folder, number, suffix), batch(number)});
  entries.push_back({folder + "test_batch" + suffix, batch(9)});
  entries.push_back(
      {folder + (binary ? "batches.meta.txt" : "batches.meta"), binary ? names : NamesPickle("label_names", 10)});
  return entries;
}

}  // namespace pdarts::test
