// Runs that are killed, stopped, moved or starved of disk, through the program itself.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "base/file.h"
#include "support/files.h"
#include "support/process.h"

namespace pdarts::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;
using Clock = std::chrono::steady_clock;

constexpr const char* kCheckpoint = "checkpoint.safetensors";

void CheckSameEnd(const fs::path& run, const fs::path& undisturbed) {
  for (const char* file :
       {kCheckpoint, "alphas.jsonl", "genotype.json", "genotype.txt", "genotypes_by_max_skip.json"}) {
    INFO(file);
    CHECK((base::ReadFile(run / file) == base::ReadFile(undisturbed / file)));
  }
}

std::vector<std::string> Resume(const fs::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"search", "--resume", "--out", out.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Pdarts(arguments);
}

uint64_t Seed() {
  const char* given = std::getenv("PDARTS_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

TEST_CASE("a search killed five times at random moments ends with the bytes of an undisturbed one",
          "[integration][kill]") {
  const TempFolder temp;
  const auto start = Clock::now();
  REQUIRE(Run(TinySearch(temp.path() / "whole")).code == 0);
  const double whole = std::chrono::duration<double>(Clock::now() - start).count();

  const uint64_t seed = Seed();
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> moment(0.0, 0.5 * whole);
  std::string moments;
  const fs::path run = temp.path() / "killed";
  int kills = 0;
  for (int attempt = 0; kills < 5 && attempt < 100; ++attempt) {
    Process process(TinySearch(run, {"--resume"}));
    const double delay = moment(random);
    std::this_thread::sleep_for(std::chrono::duration<double>(delay));
    process.Signal(SIGKILL);
    if (!process.Wait().by_signal) continue;  // it had ended: try an earlier moment
    moments += " " + std::to_string(delay);
    ++kills;
  }
  WARN("PDARTS_TEST_SEED=" << seed << ": killed after" << moments << " s of " << whole);
  CHECK(kills == 5);
  CHECK(Run(TinySearch(run, {"--resume"})).code == 0);
  CheckSameEnd(run, temp.path() / "whole");
}

TEST_CASE("a search says after each epoch how long the rest of it will take", "[integration]") {
  const TempFolder temp;
  const ProcessResult run = Run(TinySearch(temp.path() / "run"));
  REQUIRE(run.code == 0);
  const size_t first = run.err.find("stage 1 epoch 1/3"), left = run.err.find("left", first);
  REQUIRE(first != std::string::npos);
  CHECK(left < run.err.find('\n', first));
}

TEST_CASE("a signal stops a search with its code, and --resume --out DIR is enough to go on", "[integration]") {
  const TempFolder temp;
  const fs::path run = temp.path() / "run", whole = temp.path() / "whole";
  REQUIRE(Run(TinySearch(whole, {"--workers", "1"})).code == 0);

  Process first(TinySearch(run, {"--workers", "3"}));
  REQUIRE(WaitForCheckpoint(first, run));
  first.Signal(SIGINT);
  const ProcessResult interrupted = first.Wait();
  CHECK(interrupted.code == 130);
  CHECK_FALSE(interrupted.by_signal);
  CHECK_THAT(interrupted.err, ContainsSubstring("--resume"));
  CHECK(interrupted.out.empty());

  Process second(Resume(run, {"--workers", "0"}));
  for (int i = 0; i < 12000 && second.Running(); ++i) {
    if (second.ErrorsSoFar().find("resuming") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  second.Signal(SIGTERM);
  const ProcessResult terminated = second.Wait();
  CHECK(terminated.code == 143);
  CHECK_FALSE(terminated.by_signal);

  CHECK(Run(Resume(run, {"--workers", "1"})).code == 0);
  CheckSameEnd(run, whole);
}

TEST_CASE("options given again to --resume must be the run's own", "[integration]") {
  const TempFolder temp;
  const fs::path run = temp.path() / "run";
  REQUIRE(Run(TinySearch(run, {"--epochs", "1", "--frozen-epochs", "0"})).code == 2);  // --epochs twice
  REQUIRE(Run(Pdarts({"search", "--out", run.string(), "--train-limit", "8", "--epochs", "1", "--batch", "4",
                      "--channels", "4", "--cells", "1,1,1", "--seed", "5", "--threads", "1"}))
              .code == 0);
  const std::vector<std::string> resume{"search", "--resume", "--out", run.string()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), resume.begin(), resume.end());
    return more;
  };
  CheckRefused(with({"--seed", "6"}), 2, {"config.json", "seed = 5, not 6"}, run);
  CheckRefused(with({"--cells", "1,1,2"}), 2, {"cells = [1,1,1], not [1,1,2]"}, run);
  CheckRefused(with({"--train-limit", "6"}), 2, {"train_limit = 8, not 6"}, run);
  CheckRefused(with({"--threads", "2"}), 2, {"--allow-signature-change"}, run);
  CheckRefused({"train", "--resume", "--out", run.string()}, 2, {"run of \"search\""}, run);
  const auto before = Snapshot(run);
  const ProcessResult again = Run(Pdarts(with({"--seed", "5", "--channels", "4", "--workers", "3"})));
  CHECK(again.code == 0);
  CHECK((Snapshot(run) == before));
}

TEST_CASE("a training goes on where its images have moved to, and nowhere else", "[integration]") {
  const TempFolder temp;
  const fs::path images = temp.path() / "images", moved = temp.path() / "moved", run = temp.path() / "run";
  base::MakeFolder(images);
  for (const auto& [name, content] : CifarEntries(false, true, 4)) {
    if (name.ends_with('/')) continue;
    base::MakeFolder((images / name).parent_path());
    base::WriteFileAtomically(images / name, content);
  }
  const std::string cell =
      "normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), "
      "('skip_connect', 1)], reduce_concat=[2]";
  base::WriteFileAtomically(temp.path() / "cell.txt", "Genotype(" + cell + ")");
  REQUIRE(Run(Pdarts({"train",
                      "--out",
                      run.string(),
                      "--dataset",
                      "cifar10",
                      "--data",
                      images.string(),
                      "--arch",
                      (temp.path() / "cell.txt").string(),
                      "--epochs",
                      "2",
                      "--batch",
                      "4",
                      "--train-limit",
                      "8",
                      "--test-limit",
                      "4",
                      "--channels",
                      "4",
                      "--layers",
                      "3",
                      "--threads",
                      "1",
                      "--quiet"}))
              .code == 0);
  fs::remove(temp.path() / "cell.txt");
  fs::rename(images, moved);
  const std::vector<std::string> resume{"train", "--resume", "--out", run.string(), "--quiet"};
  CheckRefused(resume, 4, {images.string(), "--data"}, run);
  std::vector<std::string> elsewhere = resume;
  elsewhere.insert(elsewhere.end(), {"--data", moved.string()});
  CHECK(Run(Pdarts(elsewhere)).code == 0);

  for (const auto& entry : fs::recursive_directory_iterator(moved)) {
    if (entry.path().filename() != "data_batch_1.bin") continue;
    std::string content = base::ReadFile(entry.path());
    content[100] = static_cast<char>(content[100] ^ 1);
    base::WriteFileAtomically(entry.path(), content);
  }
  CheckRefused(elsewhere, 4, {"the images are not those", "--data"}, run);
}

TEST_CASE("a search whose files may not grow stops with one line and goes on later", "[integration]") {
  const TempFolder temp;
  const fs::path run = temp.path() / "run", whole = temp.path() / "whole";
  REQUIRE(Run(TinySearch(whole)).code == 0);
  std::vector<std::string> limited{"sh", "-c", "ulimit -f 8; exec \"$@\"", "sh"};
  for (const std::string& word : TinySearch(run, {"--quiet"})) limited.push_back(word);
  CheckOneLine(Run(limited), 4, {run.string(), "ulimit -f"});
  CHECK_FALSE(fs::exists(run / kCheckpoint));
  CHECK(Run(Resume(run)).code == 0);
  CheckSameEnd(run, whole);
}

// In a mount namespace of its own: a run is killed, the disk filled, the run resumed, the disk emptied, the run
// resumed.
constexpr const char* kFullDisk = R"(
disk=$1; notes=$2; shift 2
mount -t tmpfs -o size=64m none "$disk" || exit 99
"$@" & run=$!
while [ ! -e "$disk/run/checkpoint.safetensors" ] && kill -0 $run; do sleep 0.02; done
kill -9 $run; wait $run
cp -r "$disk/run" "$notes/before"; rm -f "$notes"/before/*.tmp*
dd if=/dev/zero of="$disk/filler" bs=4096 2>/dev/null
"$PROGRAM" search --resume --out "$disk/run" --quiet >"$notes/out" 2>"$notes/err"; echo $? >"$notes/code"
cp -r "$disk/run" "$notes/full"
rm "$disk/filler"
"$PROGRAM" search --resume --out "$disk/run" --quiet >/dev/null 2>&1; echo $? >"$notes/code_with_room"
cp -r "$disk/run" "$notes/end"
)";

TEST_CASE("a full disk stops a search with one line, and it goes on when there is room", "[integration]") {
  if (Run({"unshare", "-Urm", "true"}).code != 0 && Run({"unshare", "-m", "true"}).code != 0)
    SKIP("no mount namespaces here: a disk cannot be filled");
  const bool user = Run({"unshare", "-Urm", "true"}).code == 0;
  const TempFolder temp;
  const fs::path disk = temp.path() / "disk", notes = temp.path() / "notes", whole = temp.path() / "whole";
  base::MakeFolder(disk);
  base::MakeFolder(notes);
  REQUIRE(Run(TinySearch(whole)).code == 0);
  std::vector<std::string> command{
      "env", "PROGRAM=" + Binary(), "unshare",     user ? "-Urm" : "-m", "sh", "-c", kFullDisk,
      "sh",  disk.string(),         notes.string()};
  for (const std::string& word : TinySearch(disk / "run", {"--quiet"})) command.push_back(word);
  const int code = Run(command).code;
  if (code == 99) SKIP("no tmpfs may be mounted here: a disk cannot be filled");
  REQUIRE(code == 0);
  ProcessResult full{.out = base::ReadFile(notes / "out"), .err = base::ReadFile(notes / "err")};
  full.code = std::stoi(base::ReadFile(notes / "code"));
  CheckOneLine(full, 4, {"No space left on device", (disk / "run").string()});
  CHECK((base::ReadFile(notes / "full" / kCheckpoint) == base::ReadFile(notes / "before" / kCheckpoint)));
  CHECK(base::ReadFile(notes / "code_with_room") == "0\n");
  CheckSameEnd(notes / "end", whole);
}

}  // namespace
}  // namespace pdarts::test
