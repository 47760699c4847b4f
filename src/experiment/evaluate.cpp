#include <algorithm>
#include <map>

#include "experiment/reproduce.h"

namespace pdarts::experiment {
namespace {

constexpr double kSecondsPerDay = 86400;

// A measured value by search and training, from the records that served it.
using Runs = std::map<int, std::map<int, double>>;

Summary OverRuns(const Runs& runs, bool by_search, std::vector<std::vector<double>>* all = nullptr) {
  std::vector<double> values;
  for (const auto& [search, trainings] : runs) {
    std::vector<double> group;
    for (const auto& [training, value] : trainings) group.push_back(value);
    if (by_search)
      values.push_back(Summarize(group).mean);
    else
      values.insert(values.end(), group.begin(), group.end());
    if (all) all->push_back(std::move(group));
  }
  return Summarize(values);
}

class Judge {
 public:
  Judge(const TableSpec& table, const RunSetup& setup, const ResultStore& store, const StoredRecords& stored)
      : table_(table),
        setup_(setup),
        level_(table.Level(setup.level)),
        store_(store),
        stored_(stored),
        deviations_(Deviations(table, setup)) {}

  const std::vector<std::string>& deviations() const { return deviations_; }

  LineResult Line(const RowSpec& row) const {
    LineResult line{.row = row};
    if (!row.cell.empty()) line.genotype = table_.cells.at(row.cell);
    for (const EntrySpec& entry : row.entries) line.entries.push_back(Entry(row, entry));
    AddCurves(row, line);
    return line;
  }

 private:
  EntryResult Entry(const RowSpec& row, const EntrySpec& spec) const {
    EntryResult result{.spec = spec, .note = spec.reason};
    const ColumnSpec& column = table_.Column(spec.column);
    if (spec.evidence == Evidence::kQuoted) {
      result.verdict = Verdict::kQuoted;
      return result;
    }
    result.stored = StoredValue(row, column);
    result.measured = Measure(row, column);
    if (!result.measured) {
      if (result.note.empty())
        result.note = level_.runs ? "not finished, or not asked for" : "needs a level that trains";
      return result;
    }
    if (spec.evidence == Evidence::kExact)
      Exact(row, column, result);
    else if (spec.evidence == Evidence::kCost)
      Cost(result);
    else
      Statistical(column, result);
    return result;
  }

  // The value of a record in the column's unit.
  static std::optional<double> ValueOf(const Record& record, const ColumnSpec& column) {
    switch (column.measure) {
      case Measure::kError:
        return record.metrics.last_error;
      case Measure::kParameters:
        if (!record.metrics.parameters) return std::nullopt;
        return static_cast<double>(*record.metrics.parameters) / 1e6;
      case Measure::kCost:
        return record.metrics.seconds / kSecondsPerDay;
    }
    return std::nullopt;
  }

  static std::string RoleColumn(const ColumnSpec& column) {
    return column.measure == Measure::kCost ? "search" : column.id;
  }

  std::optional<Measured> Measure(const RowSpec& row, const ColumnSpec& column) const {
    Runs last, best;
    for (const Record* record : store_.FindRole(row.id, RoleColumn(column)))
      for (const Role& role : record->roles) {
        if (role.line != row.id || role.column != RoleColumn(column)) continue;
        if (const auto value = ValueOf(*record, column)) last[role.search][role.training] = *value;
        if (column.measure == experiment::Measure::kError && record->metrics.best_error)
          best[role.search][role.training] = *record->metrics.best_error;
      }
    if (last.empty()) return std::nullopt;
    Measured measured;
    const bool by_search = row.status == CellStatus::kSearched;
    measured.last = OverRuns(last, by_search, &measured.runs);
    if (!best.empty()) measured.best = OverRuns(best, by_search);
    measured.spread = SplitSpread(measured.runs);
    return measured;
  }

  std::optional<double> StoredValue(const RowSpec& row, const ColumnSpec& column) const {
    std::string digest;
    if (column.measure == Measure::kError) {
      const auto use = setup_.datasets.find(column.dataset);
      if (use == setup_.datasets.end()) return std::nullopt;
      digest = use->second.digest;
    }
    std::map<int, std::vector<double>> by_search;
    const Role role{table_.id, level_.id, row.id, RoleColumn(column), 0, 0};
    for (const Record* record : stored_.Find(role, digest))
      for (const Role& one : record->roles)
        if (one.line == row.id && one.column == role.column && one.level == level_.id)
          if (const auto value = ValueOf(*record, column)) by_search[one.search].push_back(*value);
    if (by_search.empty()) return std::nullopt;
    std::vector<double> means;
    for (const auto& [search, values] : by_search) means.push_back(Summarize(values).mean);
    return Summarize(means).mean;
  }

  void Exact(const RowSpec& row, const ColumnSpec& column, EntryResult& result) const {
    const auto records = store_.FindRole(row.id, column.id);
    result.verdict = JudgeExact(result.spec, column, records.front()->metrics.parameters.value());
    if (result.spec.paper) result.difference = RoundTo(result.measured->last.mean, column.digits) - *result.spec.paper;
  }

  static void Cost(EntryResult& result) {
    result.verdict = Verdict::kNotComparable;
    if (result.note.empty()) result.note = "time on this machine; the paper's is of a P100 GPU";
  }

  void Statistical(const ColumnSpec& column, EntryResult& result) const {
    const double mean = result.measured->last.mean;
    if (!level_.claims_paper) {
      const auto band = level_.stored_bands.find(column.id);
      if (result.stored) result.difference = mean - *result.stored;
      if (band == level_.stored_bands.end()) {
        result.verdict = Verdict::kNotComparable;
        result.note = "the level states no band for it";
        return;
      }
      result.verdict = JudgeAgainstStored(result.stored, band->second, mean);
      if (!result.stored) result.note = "no stored record of this level for these data";
      return;
    }
    if (result.spec.paper) result.difference = mean - *result.spec.paper;
    if (!deviations_.empty() || !result.spec.paper) {
      result.verdict = Verdict::kNotComparable;
      result.note = deviations_.empty() ? "the paper has no value" : "the run deviates from the paper's recipe";
      return;
    }
    result.verdict = JudgeAgainstPaper(*result.spec.paper, column.band, result.measured->last);
    if (result.verdict == Verdict::kInconclusive)
      result.note = result.measured->last.n < 2 ? "one run decides nothing" : "the 95% interval is too wide";
  }

  void AddCurves(const RowSpec& row, LineResult& line) const {
    std::map<std::tuple<int, int, int>, Curve> ordered;  // searches first, then by search, column, training
    for (const auto& [key, record] : store_.records())
      for (const Role& role : record.roles) {
        if (role.line != row.id || record.curve.empty()) continue;
        if (record.kind == TaskKind::kSearch) {
          if (role.search == 0 && line.genotype.empty()) line.genotype = record.genotype;
          ordered[{-1, role.search, 0}] = {fmt::format("search {}", role.search + 1), record.kind, record.curve};
          continue;
        }
        const auto column = std::ranges::find(table_.columns, role.column, &ColumnSpec::id) - table_.columns.begin();
        ordered[{static_cast<int>(column), role.search, role.training}] = {
            fmt::format("{}, cell {}, run {}", table_.Column(role.column).title, role.search + 1, role.training + 1),
            record.kind, record.curve};
      }
    for (const Record* record : store_.FindRole(row.id, "search"))  // a search without a curve has a cell too
      if (line.genotype.empty()) line.genotype = record->genotype;
    for (auto& [order, curve] : ordered) line.curves.push_back(std::move(curve));
  }

  const TableSpec& table_;
  const RunSetup& setup_;
  const LevelSpec& level_;
  const ResultStore& store_;
  const StoredRecords& stored_;
  std::vector<std::string> deviations_;
};

}  // namespace

base::ExitCode TableResult::exit_code() const {
  if (out_of_band > 0) return base::ExitCode::kOutOfBand;
  return undecided > 0 ? base::ExitCode::kInconclusive : base::ExitCode::kOk;
}

TableResult Evaluate(const TableSpec& table, const RunSetup& setup, const ResultStore& store,
                     const StoredRecords& stored) {
  TableResult result{.table = table, .setup = setup};
  const Judge judge(table, setup, store, stored);
  result.deviations = judge.deviations();
  for (const RowSpec& row : table.rows)
    if (setup.Wants(row)) result.lines.push_back(judge.Line(row));
  for (const LineResult& line : result.lines)
    for (const EntryResult& entry : line.entries) {
      const Standing standing = StandingOf(entry.verdict);
      result.in_band += standing == Standing::kInBand;
      result.out_of_band += standing == Standing::kOutOfBand;
      result.undecided += standing == Standing::kUndecided;
    }
  for (const auto& [key, record] : store.records()) {
    result.seconds += record.metrics.seconds;
    if (!result.provenance || result.provenance->finished < record.provenance.finished)
      result.provenance = record.provenance;
  }
  return result;
}

}  // namespace pdarts::experiment
