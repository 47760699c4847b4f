#include "selftest/turned_gradients.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "passes/rewrite.h"
#include "selftest/trajectory.h"

namespace pdarts::selftest {
namespace {

constexpr size_t kMostTies = 48, kFruitless = 20;
constexpr double kSettled = 3e-5;  // a root mean square error that f32 reaches where nothing is turned

// The first step in f64, every ReLU and maximum a node of its own.
class ExactStep {
 public:
  ExactStep(const VectorFile& file, device::Backend& exact, const FirstGraphs& graphs)
      : checker_{exact, Precision::kF64, exact, {.disabled_passes = passes::RewriteNames()}},
        trajectory_(file, checker_, report_) {
    for (const ir::Graph& graph : graphs(tensor::DType::kF64)) {
      plan::Executor& executor = trajectory_.Add(graph);
      runs_.push_back({&executor, NearTies(executor.plan())});
    }
  }

  // The nearest kMostTies, nearest first, each once.
  std::vector<NearTie> Find() {
    std::vector<NearTie> found;
    for (Run& run : runs_)
      RunFirst(run, [&](int step) {
        run.ties.Find(*run.executor, step, found);
        if (found.size() > 1000 * kMostTies) KeepNearest(found);
      });
    KeepNearest(found);
    return found;
  }

  Gradients With(const std::vector<NearTie>& turned) {
    Gradients all;
    for (Run& run : runs_) {
      RunFirst(run, [&](int step) { run.ties.Turn(*run.executor, step, turned); });
      all.merge(trajectory_.FirstGradients(*run.executor));
    }
    return all;
  }

 private:
  struct Run {
    plan::Executor* executor;
    NearTies ties;
  };
  static void KeepNearest(std::vector<NearTie>& ties) {
    std::ranges::sort(ties, {}, [](const NearTie& t) { return std::tie(t.distance, t.tensor, t.element, t.other); });
    ties.erase(std::unique(ties.begin(), ties.end()), ties.end());
    if (ties.size() > kMostTies) ties.resize(kMostTies);
  }
  void RunFirst(Run& run, const std::function<void(int)>& look) {
    trajectory_.Reset();
    trajectory_.Run(*run.executor, 0, 0, 1, look);
  }

  Report report_;
  Checker checker_;
  Trajectory trajectory_;
  std::vector<Run> runs_;
};

// (a - b) / |b| of each tensor, one after the other: the sum of its squares is that of the relative errors.
std::vector<float> Differences(const Gradients& a, const Gradients& b) {
  std::vector<float> differences;
  for (const auto& [name, values] : b) {
    double squares = 0;
    for (const double value : values) squares += value * value;
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 1;
    for (size_t i = 0; i < values.size(); ++i)
      differences.push_back(static_cast<float>((a.at(name)[i] - values[i]) * scale));
  }
  return differences;
}

GroupErrors ErrorsOf(const Gradients& actual, const Gradients& expected) {
  std::vector<double> errors;
  for (const auto& [name, values] : actual) errors.push_back(RelativeError(values, expected.at(name)));
  return GroupErrors::Of(errors);
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

// Which of several effects, added up, a difference is made of. A turned tie moves its gradients as if it were alone:
// the values themselves hardly move.
class Parts {
 public:
  explicit Parts(std::vector<float> whole) : whole_(std::move(whole)), squares_(Dot(whole_, whole_)) {}

  // Turns the part over, if that leaves less, that leaves the least; until none does.
  void Add(std::vector<float> effect) {
    parts_.push_back({std::move(effect), {}, 0, false});
    for (Part& part : parts_) {
      const double product = Dot(part.effect, parts_.back().effect);
      if (&part != &parts_.back()) part.products.push_back(product);
      parts_.back().products.push_back(product);
    }
    parts_.back().rest = Dot(whole_, parts_.back().effect);
    for (size_t j = 0; j + 1 < parts_.size(); ++j)
      if (parts_[j].taken) parts_.back().rest -= parts_.back().products[j];
    while (Turn()) {
    }
  }

  bool taken(size_t part) const { return parts_[part].taken; }
  bool any() const { return std::ranges::any_of(parts_, &Part::taken); }
  double squares() const { return squares_; }  // of what is left

 private:
  struct Part {
    std::vector<float> effect;
    std::vector<double> products;  // with each part
    double rest = 0;               // with what is left of the whole
    bool taken = false;
  };

  bool Turn() {
    size_t best = 0;
    double least = squares_;
    for (size_t i = 0; i < parts_.size(); ++i)
      if (const double with = squares_ - 2 * Sign(i) * parts_[i].rest + parts_[i].products[i]; with < least)
        least = with, best = i;
    if (least == squares_) return false;
    const double sign = Sign(best);
    squares_ = least;
    parts_[best].taken = !parts_[best].taken;
    for (size_t i = 0; i < parts_.size(); ++i) parts_[i].rest -= sign * parts_[best].products[i];
    return true;
  }
  double Sign(size_t part) const { return parts_[part].taken ? -1 : 1; }

  std::vector<float> whole_;
  double squares_;
  std::vector<Part> parts_;
};

}  // namespace

TurnedGradients TurnNearTies(const VectorFile& file, const Checker& checker, const FirstGraphs& graphs,
                             const Gradients& actual) {
  ExactStep step(file, checker.exact, graphs);
  TurnedGradients result;
  const Gradients exact = step.With({});
  Gradients of_file;
  for (const auto& [name, values] : exact) of_file.emplace(name, file.content.At(name, file.name).ToDoubles());
  result.exact = ErrorsOf(exact, of_file);
  result.errors = ErrorsOf(actual, exact);
  if (!result.ExactHolds() || !std::isfinite(result.errors.worst)) return result;

  const std::vector<NearTie> near = step.Find();
  Parts parts(Differences(actual, exact));
  const double settled = kSettled * kSettled * static_cast<double>(actual.size());
  bool fruitless = false;
  for (; result.looked_at < near.size() && parts.squares() > settled && !fruitless; ++result.looked_at) {
    parts.Add(Differences(step.With({near[result.looked_at]}), exact));
    fruitless = result.looked_at + 1 == kFruitless && !parts.any();
  }
  for (size_t i = 0; i < result.looked_at; ++i)
    if (parts.taken(i)) result.turned.push_back(near[i]);
  if (!result.turned.empty()) result.errors = ErrorsOf(actual, step.With(result.turned));
  return result;
}

}  // namespace pdarts::selftest
