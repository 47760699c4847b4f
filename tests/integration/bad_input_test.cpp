// What a user can give wrongly: one line that says what, where and what to do, the right exit code, nothing destroyed.
#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "base/file.h"
#include "support/files.h"
#include "support/process.h"

namespace pdarts::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCell =
    "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), "
    "('skip_connect', 1)], reduce_concat=[2])";

std::string Write(const fs::path& path, const std::string& content) {
  base::MakeFolder(path.parent_path());
  base::WriteFileAtomically(path, content);
  return path.string();
}

// CIFAR-10's batch files, some changed, in a folder.
fs::path Folder(const fs::path& path, const std::function<void(const std::string&, std::string&)>& change) {
  for (auto [name, content] : CifarEntries(false, true, 4)) {
    change(fs::path(name).filename().string(), content);
    if (!content.empty()) Write(path / name, content);
  }
  return path;
}

TEST_CASE("damaged images are refused, by data and by a search that then makes no folder", "[integration]") {
  const TempFolder temp;
  const std::string archive = Gzip(MakeTar(CifarEntries(false, true, 4)));
  std::string flipped = archive;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 8);
  const auto batch = [](auto change) {
    return [change](const std::string& name, std::string& content) {
      if (name == "data_batch_2.bin") change(content);
    };
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {Write(temp.path() / "cut.tar.gz", archive.substr(0, archive.size() / 2)), "cut.tar.gz"},
      {Write(temp.path() / "flipped.tar.gz", flipped), "flipped.tar.gz"},
      {Write(temp.path() / "empty.tar.gz", ""), "empty.tar.gz"},
      {Write(temp.path() / "text.tar.gz", "not an archive\n"), "text.tar.gz"},
      {Folder(temp.path() / "odd", batch([](std::string& bytes) { bytes += "x"; })), "data_batch_2.bin"},
      {Folder(temp.path() / "label", batch([](std::string& bytes) { bytes[3073] = 10; })), "data_batch_2.bin"},
      {Folder(temp.path() / "split",
              [](const std::string& name, std::string& bytes) {
                if (name == "test_batch.bin") bytes.clear();
              }),
       "test_batch"},
      {(temp.path() / "absent").string(), "absent"},
  };
  for (const auto& [path, word] : cases) {
    CheckRefused({"data", "verify", path}, 4, {word, "("}, temp.path());
    CheckRefused({"search", "--dataset", path, "--out", (temp.path() / "out").string()}, 4, {word, "("}, temp.path());
  }
  const fs::path folders = temp.path() / "folders";
  Write(folders / "train" / "cat" / "1.png", "not a picture");
  CheckRefused({"search", "--dataset", folders.string(), "--out", (temp.path() / "out").string()}, 4,
               {folders.string()}, temp.path());
}

TEST_CASE("a checkpoint that is damaged or another's is refused and left alone", "[integration]") {
  const TempFolder temp;
  const fs::path run = temp.path() / "run", other = temp.path() / "other", training = temp.path() / "training";
  const auto search = [&](const fs::path& out, const char* channels) {
    return Run(Pdarts({"search", "--out", out.string(), "--train-limit", "8", "--epochs", "1", "--batch", "4",
                       "--channels", channels, "--cells", "1,1,1", "--threads", "1"}))
        .code;
  };
  REQUIRE(search(run, "4") == 0);
  REQUIRE(search(other, "6") == 0);
  REQUIRE(Run(Pdarts({"train", "--out", training.string(), "--arch", kCell, "--epochs", "1", "--batch", "4",
                      "--train-limit", "8", "--test-limit", "4", "--channels", "4", "--layers", "3", "--threads", "1"}))
              .code == 0);
  const std::string file = run / "checkpoint.safetensors", good = base::ReadFile(file);
  std::string flipped = good;
  flipped[good.size() - 9] = static_cast<char>(flipped[good.size() - 9] ^ 1);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {good.substr(0, good.size() / 2), "checkpoint.safetensors"},
      {good.substr(0, 5), "checkpoint.safetensors"},
      {"", "checkpoint.safetensors"},
      {flipped, "SHA-256"},
      {base::ReadFile(training / "checkpoint.safetensors"), "of a training, not of a search"},
      {base::ReadFile(other / "checkpoint.safetensors"), "belongs to another network"},
  };
  for (const auto& [bytes, word] : cases) {
    Write(file, bytes);
    CheckRefused({"search", "--resume", "--quiet", "--out", run.string()}, 4, {word, "("}, run);
  }
  Write(file, good);
  for (const char* config : {"", "{", "[]", "{\"command\": 3}"}) {
    Write(run / "config.json", config);
    const int code = std::string(config).starts_with("{\"") ? 2 : 4;
    CheckRefused({"search", "--resume", "--out", run.string()}, code, {run.string()}, run);
  }
  const std::string weights = Write(temp.path() / "weights", base::ReadFile(training / "weights.safetensors"));
  const std::vector<std::string> eval{"eval",         "--arch", kCell,        "--weights", weights,
                                      "--test-limit", "4",      "--channels", "4"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), eval.begin(), eval.end());
    return more;
  };
  CHECK(Run(Pdarts(with({"--layers", "3"}))).code == 0);
  CheckRefused(with({"--layers", "4"}), 4, {weights});
  fs::resize_file(weights, fs::file_size(weights) - 1);
  CheckRefused(with({"--layers", "3"}), 4, {weights});
}

TEST_CASE("malformed genotypes are refused before anything is made", "[integration]") {
  const TempFolder temp;
  const std::string out = temp.path() / "out";
  for (const char* text : {"Genotype(", "Genotype()",
                           "Genotype(normal=[('sep_conv_9x9', 0), ('skip_connect', 1)], "
                           "normal_concat=[2], reduce=[], reduce_concat=[2])",
                           "(", "\n(\n", "no-such-cell", ""}) {
    CheckRefused({"train", "--arch", text, "--out", out}, 2, {}, out);
  }
  CheckRefused({"train", "--arch", Write(temp.path() / "cell", "{\"normal\": 1}"), "--out", out}, 2, {"cell"}, out);
  CheckRefused({"train", "--arch", Write(temp.path() / "empty", ""), "--out", out}, 2, {}, out);
  CheckRefused({"train", "--arch", temp.path().string(), "--out", out}, 4, {"directory"}, out);
}

TEST_CASE("unknown words and odd values are usage errors", "[integration]") {
  const TempFolder temp;
  const std::string out = temp.path() / "out";
  CheckRefused({"serch"}, 2, {"serch", "did you mean search?"});
  // Nothing in common is not near.
  CheckRefused({"bench", "step", "--stage", "4"}, 2, {"--stage", "'4'", "(choose one of them)"});
  CheckRefused({""}, 2, {"unknown verb"});
  CheckRefused({"help", "trian"}, 2, {"did you mean train?"});
  CheckRefused({"search", "--out", out, "--epoch", "3"}, 2, {"--epoch", "did you mean --epochs?"}, out);
  CheckRefused({"search", "--out", out, "-epochs", "3"}, 2, {"-epochs", "did you mean --epochs?"}, out);
  CheckRefused({"search", "--out", out, "epochs", "3"}, 2, {"'epochs'"}, out);
  CheckRefused({"search", "--out", out, "line\nbreak"}, 2, {"line break"}, out);
  CheckRefused({"search"}, 2, {"--out"});
  CheckRefused({"search", "--out", ""}, 2, {"--out"});
  CheckRefused({"search", "--out", out, "--dataset", "cifar11"}, 2, {"cifar11", "did you mean"}, out);
  CheckRefused({"search", "--out", out, "--data", temp.path().string()}, 2, {"--data", "--dataset"}, out);
  CheckRefused({"reproduce", "table1", "--level", "check", "--out", ""}, 2, {"--out"});
  CheckRefused({"data", "inof", "synthetic"}, 2, {"did you mean 'info'?"});
  CheckRefused({"selftest", "--vectors", out, "--disable-pass", "inline"}, 2, {"--disable-pass", "fuse_separable"});
  const std::vector<std::pair<const char*, const char*>> values = {
      {"--epochs", "0"},      {"--epochs", "-1"},        {"--epochs", "nan"},     {"--epochs", "1e3"},
      {"--epochs", ""},       {"--epochs", " 3"},        {"--epochs", "3x"},      {"--epochs", "99999999999999999999"},
      {"--batch", "0"},       {"--batch", "1"},          {"--batch", "-8"},       {"--batch", "2147483647"},
      {"--channels", "0"},    {"--channels", "1000000"}, {"--seed", "-1"},        {"--seed", "18446744073709551616"},
      {"--cells", "5,11"},    {"--cells", "5,,17"},      {"--cells", "0,1,1"},    {"--cells", "1,2,3,4"},
      {"--cells", ""},        {"--cells", "1,1,100000"}, {"--threads", "0"},      {"--threads", "1000000"},
      {"--workers", "-1"},    {"--isa", "sse"},          {"--isa", ""},           {"--device", "gpu"},
      {"--max-skip", "-1"},   {"--train-limit", "0"},    {"--train-limit", "-5"}, {"--frozen-epochs", "25"},
      {"--recipe", "papers"},
  };
  for (const auto& [option, value] : values) {
    CheckRefused({"search", "--out", out, option, value}, 2, {option}, out);
  }
  for (const char* rate : {"nan", "inf", "-0.1", "1", "1e999", ""})
    CheckRefused({"train", "--arch", kCell, "--out", out, "--drop-path", rate}, 2, {"--drop-path"}, out);
  for (const char* option : {"--batch", "--layers", "--channels"})
    CheckRefused({"eval", "--arch", kCell, "--weights", "none", option, "0"}, 2, {option});
}

TEST_CASE("output folders that cannot be used are left as they are", "[integration]") {
  const TempFolder temp;
  Write(temp.path() / "thesis" / "text.tex", "x");
  Write(temp.path() / "file", "x");
  const auto search = [](const fs::path& out) { return std::vector<std::string>{"search", "--out", out.string()}; };
  CheckRefused(search(temp.path() / "thesis"), 4, {"thesis", "not empty"}, temp.path());
  CheckRefused(search(temp.path() / "file"), 4, {"file", "--out"}, temp.path());
  CheckRefused(search(temp.path() / "file" / "run"), 4, {"file"}, temp.path());
  CheckRefused(search("/proc/pdarts-run"), 4, {"/proc/pdarts-run"});
  CheckRefused(search(temp.path() / std::string(300, 'x')), 4, {"xxx"}, temp.path());
  std::vector<std::string> resume = search(temp.path() / "thesis");
  resume.push_back("--resume");
  CheckRefused(resume, 4, {"thesis", "--resume needs the folder of a run"}, temp.path());
}

TEST_CASE("an ini file gives options, flags win, and mistakes in it are named", "[integration]") {
  const TempFolder temp;
  const std::string out = temp.path() / "ü run", ini = Write(temp.path() / "a.ini",
                                                             "# tiny\nseed = 9\nepochs = 7\n[search]\nchannels = 4\n"
                                                             "cells = 1,1,1\n[train]\nlayers = 3\n");
  REQUIRE(Run(Pdarts({"search", "--config", ini, "--epochs", "1", "--out", out, "--train-limit", "8", "--batch", "4",
                      "--threads", "1"}))
              .code == 0);
  const std::string config = base::ReadFile(fs::path(out) / "config.json");
  for (const char* line : {"\"seed\": 9", "\"epochs\": 1", "\"channels\": 4"}) CHECK(config.find(line) != config.npos);
  const auto refused = [&](const std::string& content, int code, const std::string& word) {
    CheckRefused({"search", "--config", Write(temp.path() / "b.ini", content), "--out", (temp.path() / "no").string()},
                 code, {"b.ini", word}, temp.path() / "no");
  };
  refused("epoch = 3\n", 2, "did you mean epochs?");
  refused("epochs = three\n", 2, "three");
  refused("epochs\n", 2, "key = value");
  refused("[serch]\nepochs = 3\n", 2, "did you mean search?");
  refused(config, 2, "--resume");
  CheckRefused({"search", "--config", (temp.path() / "absent.ini").string(), "--out", "x"}, 4, {"absent.ini"});
  CheckRefused({"search", "--config", temp.path().string(), "--out", "x"}, 4, {temp.path().string()});
}

}  // namespace
}  // namespace pdarts::test
