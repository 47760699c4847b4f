// A table's result as people and programs read it.
#pragma once

#include <filesystem>
#include <string>

#include "experiment/reproduce.h"

namespace pdarts::experiment {

// For the terminal, at most 120 columns. `colours`: ANSI sequences around the verdicts.
std::string RenderText(const TableResult& result, bool colours);

std::string RenderMarkdown(const TableResult& result);
std::string RenderCsv(const TableResult& result);   // RFC 4180, one line an entry, values in full
std::string RenderJson(const TableResult& result);  // everything, with every single run

// One page that needs nothing else: no script from elsewhere, no fonts, no network.
std::string RenderHtml(const TableResult& result);

// TABLE.json, TABLE.csv, TABLE.md and TABLE.html in `folder`.
void WriteReports(const TableResult& result, const std::filesystem::path& folder);

// Shared by the renderings: "2.50" with the column's digits, "-" where there is no value; "+0.12" for a difference.
std::string FormatValue(const std::optional<double>& value, int digits);
std::string FormatDifference(const std::optional<double>& value, int digits);
// Digits to show of a measured value: at least two, as the differences to judge may be finer than the paper's print.
int DigitsShown(const ColumnSpec& column);
// "3 as stored, 1 differs, ...": how often each verdict was given.
std::string VerdictCounts(const TableResult& result);
// What the result may claim, in one sentence.
std::string Claim(const TableResult& result);
// "all in band", "out of band", "inconclusive", "nothing to judge".
std::string Outcome(const TableResult& result);

}  // namespace pdarts::experiment
