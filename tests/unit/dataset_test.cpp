// Opening datasets: every form of CIFAR, class folders, the synthetic set; and every way in which they can be wrong.
#include "data/dataset.h"

#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "data/verify.h"
#include "support/files.h"

namespace pdarts::data {
namespace {

using Catch::Matchers::ContainsSubstring;
using test::TempFolder;

// The message of the data error that opening ends with.
std::string Failure(const DatasetSpec& spec) {
  try {
    const Splits splits = OpenDataset(spec);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    CHECK(!error.remedy().empty());
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  FAIL("no error");
  return "";
}

void WriteEntries(const TempFolder& folder, const test::Entries& entries) {
  for (const auto& [path, content] : entries) {
    if (path.ends_with('/')) {
      std::filesystem::create_directories(folder / path);
    } else {
      base::WriteFileAtomically(folder / path, content);
    }
  }
}

std::filesystem::path WriteArchive(const TempFolder& folder, const test::Entries& entries) {
  base::WriteFileAtomically(folder / "a.tar.gz", test::Gzip(test::MakeTar(entries)));
  return folder / "a.tar.gz";
}

std::string WritePng(const std::filesystem::path& path, int height, int width, int format, uint8_t value) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(height);
  image.width = static_cast<png_uint_32>(width);
  image.format = static_cast<png_uint_32>(format);
  const std::vector<uint8_t> pixels(static_cast<size_t>(PNG_IMAGE_SIZE(image)), value);
  std::filesystem::create_directories(path.parent_path());
  REQUIRE(png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0, nullptr) != 0);
  return path.string();
}

TEST_CASE("CIFAR is the same in all four forms", "[data]") {
  const bool cifar100 = GENERATE(false, true);
  const std::string name = cifar100 ? "cifar100" : "cifar10";
  std::vector<std::string> digests;
  for (const bool binary : {true, false}) {
    const test::Entries entries = test::CifarEntries(cifar100, binary, 30);
    const TempFolder archive, folder;
    WriteEntries(folder, entries);
    for (const std::filesystem::path& path :
         {WriteArchive(archive, entries), folder.path(), folder / entries[0].first}) {
      const Splits splits = OpenDataset({.dataset = name, .data = path});
      CHECK(splits.train->Size() == (cifar100 ? 30 : 150));
      CHECK(splits.test->Size() == 30);
      CHECK(splits.train->info().name == name);
      CHECK(splits.train->info().class_names.at(7) == "name 7");
      CHECK(splits.warnings.size() == 2);  // far fewer images than official
      const test::CifarRows first = test::MakeRows(30, cifar100 ? 100 : 10, 1);
      std::vector<uint8_t> pixels(3072);
      splits.train->Read(11, pixels.data());
      CHECK(splits.train->Label(11) == first.labels[11]);
      for (size_t p = 0; p < 1024; ++p) {
        for (size_t c = 0; c < 3; ++c)
          REQUIRE(pixels[3 * p + c] == static_cast<uint8_t>(first.planes[11][c * 1024 + p]));
      }
      CHECK(OpenDataset({.dataset = path.string()}).train->info().name == name);
      digests.push_back(DatasetDigest(splits));
    }
  }
  REQUIRE(digests.size() == 6);
  CHECK(std::vector<std::string>(6, digests[0]) == digests);
}

TEST_CASE("batches that Python 3 pickled again are read too", "[data]") {
  test::Entries entries = test::CifarEntries(true, false, 30);
  for (auto& [path, content] : entries) {
    if (path.ends_with("train")) content = test::PythonBatch(test::MakeRows(30, 100, 1), "fine_labels", 4);
  }
  const TempFolder folder, official;
  CHECK(DatasetDigest(OpenDataset({.dataset = "cifar100", .data = WriteArchive(folder, entries)})) ==
        DatasetDigest(
            OpenDataset({.dataset = "cifar100", .data = WriteArchive(official, test::CifarEntries(true, true, 30))})));
}

TEST_CASE("limits keep the first images", "[data]") {
  const TempFolder folder;
  const auto path = WriteArchive(folder, test::CifarEntries(false, true, 30));
  const Splits all = OpenDataset({.dataset = "cifar10", .data = path});
  const Splits some = OpenDataset({.dataset = "cifar10", .data = path, .train_limit = 40, .test_limit = 7});
  REQUIRE(some.train->Size() == 40);
  CHECK(some.test->Size() == 7);
  std::vector<uint8_t> a(3072), b(3072);
  all.train->Read(39, a.data());
  some.train->Read(39, b.data());
  CHECK(a == b);
}

TEST_CASE("a truncated archive is refused", "[data]") {
  const TempFolder folder;
  const std::string archive = test::Gzip(test::MakeTar(test::CifarEntries(false, true, 30)));
  for (const size_t kept : {archive.size() - 1, archive.size() - 8, archive.size() / 2, size_t{30}, size_t{3}}) {
    base::WriteFileAtomically(folder / "a.tar.gz", archive.substr(0, kept));
    CHECK_THAT(Failure({.dataset = "cifar10", .data = folder / "a.tar.gz"}),
               ContainsSubstring("a.tar.gz: the gzip data ends early"));
  }
}

TEST_CASE("a flipped bit anywhere in the compressed data is found", "[data]") {
  const TempFolder folder;
  const std::string archive = test::Gzip(test::MakeTar(test::CifarEntries(true, true, 5)));
  for (size_t at = 12; at < archive.size(); at += archive.size() / 23) {
    std::string damaged = archive;
    damaged[at] = static_cast<char>(damaged[at] ^ 16);
    base::WriteFileAtomically(folder / "a.tar.gz", damaged);
    CHECK_THAT(Failure({.dataset = "cifar100", .data = folder / "a.tar.gz"}), ContainsSubstring("a.tar.gz"));
  }
}

TEST_CASE("damage in an uncompressed archive's headers is found", "[data]") {
  const TempFolder folder;
  const std::string archive = test::MakeTar(test::CifarEntries(true, true, 5));
  base::WriteFileAtomically(folder / "a.tar", archive);
  CHECK(OpenDataset({.dataset = "cifar100", .data = folder / "a.tar"}).train->Size() == 5);
  std::string damaged = archive;
  damaged[512 + 3] ^= 1;
  base::WriteFileAtomically(folder / "a.tar", damaged);
  CHECK_THAT(Failure({.dataset = "cifar100", .data = folder / "a.tar"}),
             ContainsSubstring("a header of the tar archive is damaged"));
  base::WriteFileAtomically(folder / "a.tar", archive.substr(0, 5000));
  CHECK_THAT(Failure({.dataset = "cifar100", .data = folder / "a.tar"}),
             ContainsSubstring("the tar archive ends early"));
}

TEST_CASE("what is no archive is refused", "[data]") {
  const TempFolder folder;
  for (const std::string& content :
       {std::string(), std::string("hello"), std::string(4000, 'x'), test::Gzip(std::string(4000, 'x'))}) {
    base::WriteFileAtomically(folder / "a.tar.gz", content);
    CHECK_THAT(Failure({.dataset = "cifar10", .data = folder / "a.tar.gz"}),
               ContainsSubstring("this is no tar archive"));
  }
  CHECK_THAT(Failure({.dataset = "cifar10", .data = WriteArchive(folder, {{"notes.txt", "hello"}})}),
             ContainsSubstring("no CIFAR batch files in it"));
}

TEST_CASE("a batch file of odd length is refused", "[data]") {
  for (const std::string& change : {std::string("one byte more"), std::string("one byte less"), std::string("empty")}) {
    test::Entries entries = test::CifarEntries(false, true, 30);
    std::string& batch = entries[4].second;
    REQUIRE(entries[4].first.ends_with("data_batch_3.bin"));
    if (change == "empty") batch.clear();
    if (change == "one byte more") batch += 'x';
    if (change == "one byte less") batch.pop_back();
    const TempFolder folder;
    CHECK_THAT(Failure({.dataset = "cifar10", .data = WriteArchive(folder, entries)}),
               ContainsSubstring("'data_batch_3.bin'") && ContainsSubstring("no multiple of 3073"));
  }
}

TEST_CASE("a label out of range is refused", "[data]") {
  const bool binary = GENERATE(true, false);
  test::Entries entries = test::CifarEntries(false, binary, 30);
  test::CifarRows rows = test::MakeRows(30, 10, 2);
  rows.labels[17] = 10;
  entries[5].second = binary ? test::BinaryBatch(rows, false) : test::PythonBatch(rows, "labels");
  const TempFolder folder;
  CHECK_THAT(Failure({.dataset = "cifar10", .data = WriteArchive(folder, entries)}),
             ContainsSubstring("data_batch_2") && ContainsSubstring("has label 10, out of range for 10 classes"));
}

TEST_CASE("a missing batch file is named", "[data]") {
  for (const std::string& missing : {std::string("data_batch_5.bin"), std::string("test_batch.bin")}) {
    test::Entries entries = test::CifarEntries(false, true, 30);
    std::erase_if(entries, [&](const auto& entry) { return entry.first.ends_with(missing); });
    const TempFolder folder, unpacked;
    WriteEntries(unpacked, entries);
    CHECK_THAT(Failure({.dataset = "cifar10", .data = WriteArchive(folder, entries)}),
               ContainsSubstring("lacks '" + missing + "'"));
    CHECK_THAT(Failure({.dataset = "cifar10", .data = unpacked.path()}), ContainsSubstring("lacks '" + missing + "'"));
  }
}

TEST_CASE("the other CIFAR, an absent path and an unknown name are told apart", "[data]") {
  const TempFolder folder;
  const auto path = WriteArchive(folder, test::CifarEntries(true, true, 5));
  CHECK_THAT(Failure({.dataset = "cifar10", .data = path}), ContainsSubstring("it holds cifar100, not cifar10"));
  CHECK_THAT(Failure({.dataset = "cifar10", .data = folder / "absent"}),
             ContainsSubstring("no such file") && ContainsSubstring("data fetch cifar10"));
  CHECK_THAT(Failure({.dataset = "./absent"}), ContainsSubstring("no such file"));
  try {
    OpenDataset({.dataset = "cifar01"});
    FAIL("no error");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK_THAT(error.what(), ContainsSubstring("did you mean 'cifar10"));
  }
}

TEST_CASE("an unreadable archive is refused", "[data]") {
  // A file that opens and then fails to read, for root too.
  CHECK_THAT(Failure({.dataset = "cifar10", .data = "/proc/self/mem"}),
             ContainsSubstring("/proc/self/mem: cannot read"));
  const TempFolder folder;
  const auto path = WriteArchive(folder, test::CifarEntries(true, true, 5));
  ::chmod(path.c_str(), 0);
  if (::geteuid() != 0) {
    CHECK_THAT(Failure({.dataset = "cifar100", .data = path}), ContainsSubstring("cannot read: Permission denied"));
  }
}

TEST_CASE("pickles of anything but plain batches are refused", "[data]") {
  const std::string good = test::PythonBatch(test::MakeRows(5, 100, 1), "fine_labels");
  const auto failure = [](const std::string& batch) {
    test::Entries entries = test::CifarEntries(true, false, 5);
    entries[3].second = batch;
    const TempFolder folder;
    return Failure({.dataset = "cifar100", .data = WriteArchive(folder, entries)});
  };
  CHECK_THAT(failure("cos\nsystem\n(U\x04trueptR."), ContainsSubstring("asks for 'os.system'"));
  CHECK_THAT(failure("\x80\x02}."), ContainsSubstring("no dictionary with 'fine_labels'"));
  CHECK_THAT(failure(good.substr(0, good.size() / 2)), ContainsSubstring("the pickle ends early"));
  CHECK_THAT(failure("\x80\x02h\x05."), ContainsSubstring("refers to a value that is not there"));
  CHECK_THAT(failure("u."), ContainsSubstring("a mark is missing"));
  CHECK_THAT(failure(test::PythonBatch(test::MakeRows(5, 100, 1), "labels")), ContainsSubstring("'fine_labels'"));
  test::CifarRows uneven = test::MakeRows(5, 100, 1);
  uneven.planes.pop_back();
  CHECK_THAT(failure(test::PythonBatch(uneven, "fine_labels")), ContainsSubstring("5 x 3072"));
}

TEST_CASE("class folders of one small size are held in memory, dealt out class by class", "[data]") {
  const TempFolder folder;
  for (int i = 0; i < 3; ++i) {
    WritePng(folder / fmt::format("train/cat/{}.png", i), 20, 24, PNG_FORMAT_RGB, static_cast<uint8_t>(10 * i));
    WritePng(folder / fmt::format("train/ant/{}.png", i), 20, 24, PNG_FORMAT_GRAY, static_cast<uint8_t>(10 * i + 100));
  }
  WritePng(folder / "test/cat/x.png", 20, 24, PNG_FORMAT_RGBA, 7);
  const Splits splits = OpenDataset({.dataset = folder.path().string()});
  const DatasetInfo& info = splits.train->info();
  CHECK(info.class_names == std::vector<std::string>{"ant", "cat"});
  CHECK((info.height == 20 && info.width == 24));
  CHECK(std::abs(info.mean[0] - 60.0 / 255) < 1e-12);
  std::vector<uint8_t> pixels(static_cast<size_t>(info.image_bytes()));
  for (int64_t i = 0; i < 6; ++i) {
    CHECK(splits.train->Label(i) == i % 2);
    splits.train->Read(i, pixels.data());
    CHECK(pixels == std::vector<uint8_t>(pixels.size(), static_cast<uint8_t>(10 * (i / 2) + (i % 2 == 0 ? 100 : 0))));
  }
  CHECK(splits.test->Size() == 1);
  CHECK(splits.test->Label(0) == 1);
}

TEST_CASE("class folders with something wrong are refused", "[data]") {
  const TempFolder folder;
  const std::string path = folder.path().string();
  CHECK_THAT(Failure({.dataset = path}), ContainsSubstring("it has no folder 'train'"));
  WritePng(folder / "train/a/1.png", 8, 8, PNG_FORMAT_RGB, 1);
  CHECK_THAT(Failure({.dataset = path}), ContainsSubstring("it has no folder 'val' or 'test'"));
  CHECK(OpenDataset({.dataset = path, .need_test = false}).test == nullptr);
  WritePng(folder / "val/b/1.png", 8, 8, PNG_FORMAT_RGB, 1);
  CHECK_THAT(Failure({.dataset = path}), ContainsSubstring("class 'b' is not among the training classes"));
  std::filesystem::rename(folder / "val/b", folder / "val/a");
  CHECK(OpenDataset({.dataset = path}).test->Size() == 1);
  const std::string png = base::ReadFile(folder / "train/a/1.png");
  base::WriteFileAtomically(folder / "train/a/2.png", png.substr(0, png.size() - 20));
  CHECK_THAT(Failure({.dataset = path}), ContainsSubstring("2.png: cannot decode the PNG"));
  base::WriteFileAtomically(folder / "train/a/2.png", "text");
  CHECK_THAT(Failure({.dataset = path}), ContainsSubstring("2.png: this is neither PNG nor JPEG"));
  std::filesystem::remove_all(folder / "train/a");
  std::filesystem::create_directories(folder / "train/a");
  CHECK_THAT(Failure({.dataset = path}), ContainsSubstring("no PNG or JPEG files in it"));
}

TEST_CASE("the synthetic set is balanced and the same bytes everywhere", "[data]") {
  const Splits splits = OpenDataset({.dataset = "synthetic"});
  CHECK(splits.train->Size() == 2048);
  CHECK(splits.test->Size() == 512);
  CHECK(DatasetDigest(splits) == "10c1bcc0573efdc652ba6d46f039075c074249ccf3d0545c833765a1fdd84ec0");
  const Splits hundred = OpenDataset({.dataset = "synthetic100", .train_limit = 200});
  CHECK(hundred.train->Size() == 200);
  CHECK(hundred.train->Label(199) == 99);
  std::vector<uint8_t> a(3072), b(3072);
  splits.train->Read(0, a.data());
  splits.test->Read(0, b.data());
  CHECK(a != b);
}

}  // namespace
}  // namespace pdarts::data
