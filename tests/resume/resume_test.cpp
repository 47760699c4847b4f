// A run that was stopped and resumed ends with the files of one that was not: same checkpoint bytes, same logs but for
// times.
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "backends/cpu/cpu_backend.h"
#include "backends/ref/ref_backend.h"
#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/exit_code.h"
#include "support/temp_folder.h"
#include "train/run_folder.h"
#include "train/search_run.h"
#include "train/training_run.h"

namespace pdarts::train {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;
using test::CodeOf;
using Json = nlohmann::ordered_json;

// Asks for a stop from the n-th question of this process on.
class StopAt final : public SilentProgress {
 public:
  explicit StopAt(int n) : left_(n) {}
  std::optional<int> StopSignal() override { return --left_ <= 0 ? std::optional<int>(SIGTERM) : std::nullopt; }

 private:
  int left_;
};

// The estimate of the last epoch's end.
class LastEstimate final : public SilentProgress {
 public:
  void EpochDone(const StepStatus& status, std::string_view) override { seconds_left = status.seconds_left; }
  double seconds_left = -1;
};

SearchOptions TinySearch(const fs::path& out) {
  SearchOptions options;
  options.data.dataset = "synthetic";
  options.data.train_limit = 20;  // halves of 10 images: batches of 4, 4, 2
  options.data.test_limit = 4;
  options.out = out;
  options.epochs = 2;
  options.frozen_epochs = 1;
  options.batch = 4;
  options.channels = 4;
  options.cells = {1, 2, 2};
  options.seed = 11;
  options.workers = 0;
  return options;
}
constexpr int kStepsOfTinySearch = 3 * 2 * (3 + 3);  // three weight steps and three batches of validation an epoch

TrainOptions TinyTraining(const fs::path& out) {
  TrainOptions options;
  options.data.dataset = "synthetic";
  options.data.train_limit = 10;
  options.data.test_limit = 6;
  options.genotype = search::ParseGenotype(
      "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), "
      "('sep_conv_3x3', 1), "
      "('avg_pool_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], normal_concat=[2, 3, 4, 5], "
      "reduce=[('avg_pool_3x3', 0), "
      "('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 1), "
      "('dil_conv_3x3', 1), "
      "('dil_conv_5x5', 3)], reduce_concat=[2, 3, 4, 5])");
  options.out = out;
  options.epochs = 3;
  options.batch = 4;
  options.channels = 4;
  options.cells = 3;
  options.workers = 0;
  return options;
}

// The log without what a clock says.
std::string WithoutTimes(const fs::path& file) {
  std::string result;
  const std::string content = base::ReadFile(file);
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = content.find('\n', begin);
    Json line = Json::parse(content.substr(begin, end - begin));
    line.erase("seconds");
    line.erase("seconds_waited");
    result += line.dump() + "\n";
    begin = end + 1;
  }
  return result;
}

void CheckSameRun(const fs::path& run, const fs::path& undisturbed, const std::vector<std::string>& exact_files) {
  for (const std::string& file : exact_files) {
    INFO(file);
    CHECK((base::ReadFile(run / file) == base::ReadFile(undisturbed / file)));
  }
  CHECK(WithoutTimes(run / kMetricsFile) == WithoutTimes(undisturbed / kMetricsFile));
}
const std::vector<std::string> kSearchFiles = {kCheckpointFile, "alphas.jsonl", "genotype.json", "genotype.txt",
                                               "genotypes_by_max_skip.json"};
const std::vector<std::string> kTrainingFiles = {kCheckpointFile, "weights.safetensors"};

TEST_CASE("a search stopped at any step and resumed equals an undisturbed one", "[train][resume]") {
  const auto backend = backends::NewCpuBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  const SearchResult undisturbed = RunSearch(TinySearch(temp.path() / "whole"), *backend, silent);
  CHECK_FALSE(undisturbed.signature.empty());
  // The first step, an epoch's last, within the validation, and around the ends of an epoch and of each stage; with 0,
  // 1 and 3 workers.
  const int stops[] = {1, 3, 4, 6, 7, 12, 13, 24, 25, kStepsOfTinySearch};
  int workers = 0;
  for (int stop : stops) {
    INFO("stopped at step " << stop << ", " << workers << " workers");
    SearchOptions options = TinySearch(temp.path() / fmt::format("stop{}", stop));
    options.workers = workers;
    StopAt progress(stop);
    const base::ExitCode code = CodeOf([&] { RunSearch(options, *backend, progress); });
    CHECK(code == base::ExitCode::kTerminated);
    options.resume = true;
    options.workers = workers = workers == 0 ? 1 : workers == 1 ? 3 : 0;
    const SearchResult resumed = RunSearch(options, *backend, silent);
    CHECK(resumed.genotype == undisturbed.genotype);
    CHECK(resumed.validation_accuracy == undisturbed.validation_accuracy);
    CheckSameRun(options.out, temp.path() / "whole", kSearchFiles);
  }
}

TEST_CASE("a search stopped after every step equals an undisturbed one", "[train][resume]") {
  const auto backend = backends::NewCpuBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  RunSearch(TinySearch(temp.path() / "whole"), *backend, silent);
  SearchOptions options = TinySearch(temp.path() / "pieces");
  options.resume = true;
  int pieces = 0;
  for (; pieces <= kStepsOfTinySearch; ++pieces) {
    StopAt progress(1);
    if (CodeOf([&] { RunSearch(options, *backend, progress); }) == base::ExitCode::kOk) break;
  }
  CHECK(pieces >= 3 * 2 * 2);
  CheckSameRun(options.out, temp.path() / "whole", kSearchFiles);
}

TEST_CASE("a training stopped at any step and resumed equals an undisturbed one", "[train][resume]") {
  const auto backend = backends::NewCpuBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  const TrainResult undisturbed = RunTraining(TinyTraining(temp.path() / "whole"), *backend, silent);
  int workers = 0;
  for (int stop = 1; stop <= 9; ++stop) {
    INFO("stopped at step " << stop);
    TrainOptions options = TinyTraining(temp.path() / fmt::format("stop{}", stop));
    options.workers = workers;
    StopAt progress(stop);
    CHECK(CodeOf([&] { RunTraining(options, *backend, progress); }) == base::ExitCode::kTerminated);
    options.resume = true;
    options.workers = workers = workers == 0 ? 1 : workers == 1 ? 3 : 0;
    LastEstimate estimate;
    const TrainResult resumed = RunTraining(options, *backend, estimate);
    CHECK(estimate.seconds_left == 0);
    CHECK(resumed.last_test_error == undisturbed.last_test_error);
    CHECK(resumed.best_epoch == undisturbed.best_epoch);
    CheckSameRun(options.out, temp.path() / "whole", kTrainingFiles);
  }
}

TEST_CASE("resuming a finished run changes nothing", "[train][resume]") {
  const auto backend = backends::NewRefBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  TrainOptions options = TinyTraining(temp.path() / "run");
  options.epochs = 1;
  RunTraining(options, *backend, silent);
  const std::string before = base::ReadFile(options.out / kCheckpointFile);
  options.resume = true;
  RunTraining(options, *backend, silent);
  CHECK((base::ReadFile(options.out / kCheckpointFile) == before));
}

TEST_CASE("lines written after the last checkpoint are cut", "[train][resume]") {
  const auto backend = backends::NewCpuBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  RunSearch(TinySearch(temp.path() / "whole"), *backend, silent);
  SearchOptions options = TinySearch(temp.path() / "killed");
  StopAt progress(4);
  CHECK(CodeOf([&] { RunSearch(options, *backend, progress); }) == base::ExitCode::kTerminated);
  // As if killed between the logs and the checkpoint, the second line half written.
  base::AppendToFile(options.out / kMetricsFile, "{\"stage\":1,\"epoch\":2}\n{\"sta");
  base::AppendToFile(options.out / "alphas.jsonl", "{\"stage\":1,\"epoch\":2}\n");
  options.resume = true;
  RunSearch(options, *backend, silent);
  CheckSameRun(options.out, temp.path() / "whole", kSearchFiles);
}

TEST_CASE("what is not this run's checkpoint is refused and left alone", "[train][resume]") {
  const auto backend = backends::NewCpuBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  SearchOptions options = TinySearch(temp.path() / "run");
  StopAt progress(2);
  CHECK(CodeOf([&] { RunSearch(options, *backend, progress); }) == base::ExitCode::kTerminated);
  options.resume = true;
  const fs::path file = options.out / kCheckpointFile;
  const std::string good = base::ReadFile(file);

  const auto refused = [&](const std::string& bytes) {
    base::WriteFileAtomically(file, bytes);
    const base::ExitCode code = CodeOf([&] { RunSearch(options, *backend, silent); });
    CHECK((base::ReadFile(file) == bytes));
    return code == base::ExitCode::kData;
  };
  CHECK(refused(good.substr(0, good.size() / 2)));
  std::string flipped = good;
  flipped[good.size() / 2] ^= 4;
  CHECK(refused(flipped));
  CHECK(refused(""));

  // A training's checkpoint, and a search's of another width.
  TrainOptions training = TinyTraining(temp.path() / "training");
  training.epochs = 1;
  RunTraining(training, *backend, silent);
  CHECK(refused(base::ReadFile(training.out / kCheckpointFile)));
  SearchOptions wider = TinySearch(temp.path() / "wider");
  wider.channels = 8;
  StopAt wider_progress(2);
  CHECK(CodeOf([&] { RunSearch(wider, *backend, wider_progress); }) == base::ExitCode::kTerminated);
  base::WriteFileAtomically(file, base::ReadFile(wider.out / kCheckpointFile));
  CHECK_THROWS_WITH(RunSearch(options, *backend, silent), ContainsSubstring("it belongs to another network"));
}

TEST_CASE("another backend resumes only where a change of signature is allowed, and the result says so",
          "[train][resume]") {
  const auto cpu = backends::NewCpuBackend();
  const auto ref = backends::NewRefBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  TrainOptions options = TinyTraining(temp.path() / "run");
  options.epochs = 2;
  StopAt progress(2);
  CHECK(CodeOf([&] { RunTraining(options, *cpu, progress); }) == base::ExitCode::kTerminated);
  options.resume = true;
  CHECK(CodeOf([&] { RunTraining(options, *ref, silent); }) == base::ExitCode::kUsage);
  options.allow_signature_change = true;
  const TrainResult result = RunTraining(options, *ref, silent);
  CHECK(result.signature == cpu->Signature() + " > " + ref->Signature());
}

TEST_CASE("a folder that cannot be written ends a run before its first step", "[train][resume]") {
  const auto backend = backends::NewCpuBackend();
  const test::TempFolder temp;
  SilentProgress silent;
  base::WriteFileAtomically(temp.path() / "file", "x");
  CHECK(CodeOf([&] { RunSearch(TinySearch(temp.path() / "file" / "run"), *backend, silent); }) ==
        base::ExitCode::kData);
  CHECK(CodeOf([&] { RunTraining(TinyTraining(temp.path()), *backend, silent); }) == base::ExitCode::kData);
  CHECK(base::ReadFile(temp.path() / "file") == "x");
}

}  // namespace
}  // namespace pdarts::train
