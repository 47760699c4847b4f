#include "bench/step_bench.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "base/parallel.h"
#include "train/metrics.h"
#include "train/progress.h"

namespace pdarts::bench {
namespace {

constexpr int kWarmUp = 2;
constexpr double kAlphasRate = 6e-4;

PlannedBytes Planned(plan::ModelStorage& storage) {
  PlannedBytes planned;
  for (const ir::Slot& slot : storage.slots()) {
    size_t& bytes = slot.role == ir::SlotRole::kStatistic   ? planned.statistics
                    : slot.role == ir::SlotRole::kOptimizer ? planned.optimizer
                                                            : planned.parameters;
    bytes += slot.desc.bytes();
  }
  planned.inputs = storage.input_bytes();
  planned.temporary = storage.temporary_bytes();
  return planned;
}

// Runs one kind of step over and over.
class Timer {
 public:
  Timer(train::StepRunner& runner, const data::Batch& batch, train::StepScalars scalars)
      : runner_(runner), batch_(batch), scalars_(scalars) {}

  StepReport Run(int steps, const device::Backend& backend) {
    for (int i = 0; i < kWarmUp; ++i) Step(nullptr);
    std::vector<double> times;
    for (int i = 0; i < steps; ++i) times.push_back(Step(nullptr));
    StepReport report;
    report.times = {Median(times), *std::min_element(times.begin(), times.end()),
                    *std::max_element(times.begin(), times.end())};
    OpTimes kernels(runner_.compiled_plan());
    for (int i = 0; i < std::max(3, steps / 3); ++i) Step(kernels.Observe());
    report.profile = kernels.Sum(backend);
    report.reorders = runner_.compiled_plan().stats().reorders;
    return report;
  }

 private:
  double Step(const plan::Observer& observer) {
    using Clock = std::chrono::steady_clock;
    scalars_.adam_count += 1;
    const Clock::time_point start = Clock::now();
    const train::StepResult result = runner_.Run(batch_, scalars_, observer);
    const std::chrono::duration<double, std::milli> taken = Clock::now() - start;
    // Arithmetic on what is no number can take another time.
    train::CheckFinite(result.loss, 0, scalars_.step++);
    return taken.count();
  }

  train::StepRunner& runner_;
  const data::Batch& batch_;
  train::StepScalars scalars_;
};

// Forgets the process's peak, so that it is that of one network among several. Where the kernel refuses, the peak stays
// the process's: never less than what it is taken for.
void ForgetPeak() { std::ofstream("/proc/self/clear_refs") << 5; }

void RunSteps(const Network& network, device::Backend& backend, int steps, Report& report) {
  const data::Batch batch = RandomBatch(network);
  plan::ModelStorage storage;
  train::StepRunner weights(backend, storage, train::WeightsGraph(network.spec, network.step), network.step.batch);
  std::optional<train::StepRunner> architecture;
  if (const auto* spec = std::get_if<nn::SearchNetworkSpec>(&network.spec))
    architecture.emplace(backend, storage, train::ArchitectureGraph(*spec, network.step), network.step.batch);
  train::InitializeSlots(storage, network.scalars.seed);
  report.weights = Timer(weights, batch, network.scalars).Run(steps, backend);
  if (architecture) {
    train::StepScalars scalars = network.scalars;
    scalars.rate = kAlphasRate;
    report.architecture = Timer(*architecture, batch, scalars).Run(steps, backend);
  }
  report.planned = Planned(storage);
}

Limits Measure(const Network& network, device::Backend& backend) {
  Limits limits;
  limits.machine = kernels::MeasureRoofline();
  limits.weights = MeasureConvolutionFloor(nn::WeightsStep(network.spec, network.step), backend);
  if (const auto* spec = std::get_if<nn::SearchNetworkSpec>(&network.spec))
    limits.architecture = MeasureConvolutionFloor(nn::ArchitectureStep(*spec, network.step), backend);
  return limits;
}

}  // namespace

const std::vector<SetEntry>& StandardSet() {
  static const std::vector<SetEntry> kSet{{"1", 96},     {"2", 96},           {"3", 96},
                                          {"cifar", 96}, {"cifar-large", 32}, {"imagenet", 32}};
  return kSet;
}

Report RunStepBench(const Network& network, device::Backend& backend, const BenchOptions& options) {
  Report report;
  report.stage = network.stage, report.isa = options.isa;
  report.batch = network.step.batch, report.threads = base::Threads(), report.steps = options.steps;
  if (const auto* spec = std::get_if<nn::SearchNetworkSpec>(&network.spec)) report.supernet = *spec;
  ForgetPeak();
  report.base_bytes = train::ResidentBytes();
  RunSteps(network, backend, options.steps, report);
  report.peak_bytes = train::PeakResidentBytes();
  if (options.roofline) report.limits = Measure(network, backend);
  return report;
}

}  // namespace pdarts::bench
