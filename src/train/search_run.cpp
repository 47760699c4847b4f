#include "train/search_run.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "data/verify.h"
#include "train/run_drawings.h"
#include "train/run_log.h"
#include "train/search_stage.h"

namespace pdarts::train {
namespace {

// How many operations an edge loses after stages 1 and 2 (paper, section 4.2: 8, 5, 3).
constexpr std::array<int, 2> kDropped = {3, 2};

}  // namespace

SearchResult RunSearch(const SearchOptions& given, device::Backend& backend, Progress& progress) {
  const data::Splits splits = data::OpenDataset(given.data);
  for (const std::string& warning : splits.warnings) progress.Note(warning);
  SearchOptions options = Resolve(given, splits.train->info().classes);
  options.data_digest = data::ContentDigest(splits);
  if (splits.train->Size() < 4)
    throw base::DataError(fmt::format("a search needs at least 4 training images, not {}", splits.train->Size()),
                          options.data.dataset, "raise --train-limit");
  const RunFolder folder(options.out, ToJson(options), options.resume, kMayDiffer);
  SearchContext context{options, backend, progress, folder, splits.train, backend.Signature()};
  SearchState state;
  std::optional<Checkpoint> checkpoint;
  const std::string where = folder.File(kCheckpointFile).string();
  if (options.resume && folder.HasCheckpoint()) {
    checkpoint = ReadCheckpoint(folder.File(kCheckpointFile));
    CheckKind(*checkpoint, "search", where);
    context.signature =
        ContinueSignature(checkpoint->signature, backend.Signature(), options.allow_signature_change, where);
    state = SearchStateFromText(checkpoint->state, where);
    progress.Note(
        fmt::format("resuming at stage {} epoch {} batch {}", state.stage + 1, state.epoch + 1, state.batch + 1));
  }

  const int64_t half = splits.train->Size() / 2, batches = (half + options.batch - 1) / options.batch;
  TimeEstimate estimate(TotalWork(options, batches), WorkDone(options, batches, state));
  context.estimate = &estimate;
  SearchResult result;
  for (;;) {
    SearchStage stage(context, state, checkpoint ? &checkpoint->slots : nullptr);
    checkpoint.reset();
    // Not before the checkpoint has proved to be this network's: one of another run would cut the wrong lines.
    folder.CutLines(kMetricsFile, state.lines);
    folder.CutLines(kAlphasFile, state.lines);
    stage.Run();
    const search::Alphas alphas = stage.alphas();
    if (state.stage == 2) {
      result.genotype = search::DeriveRestricted(state.switches, alphas, options.max_skip);
      result.by_max_skip = search::DeriveAll(state.switches, alphas);
      break;
    }
    state.switches = search::Prune(state.switches, alphas, kDropped[static_cast<size_t>(state.stage)]);
    ++state.stage;
    state.epoch = 0;
    state.adam_count = 0;
  }
  result.validation_accuracy = state.validation_accuracy;
  result.seconds = folder.LoggedSeconds();
  result.signature = context.signature;
  result.folder = folder.path();
  WriteSearchResults(folder, result, options.max_skip);
  return result;
}

}  // namespace pdarts::train
