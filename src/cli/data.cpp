// pdarts data: what a dataset holds, whether it is complete, and downloading
// it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "cli/table.h"
#include "data/fetch.h"
#include "data/verify.h"

namespace pdarts::cli {
namespace {

// "50000 images, 5000 a class", or the smallest and largest class.
std::string Balance(const data::SplitReport& split, const data::DatasetInfo& info) {
  const auto [least, most] = std::minmax_element(split.per_class.begin(), split.per_class.end());
  if (*least == *most) return fmt::format("{} images, {} a class", split.images, *least);
  const auto name = [&](auto at) { return info.class_names[static_cast<size_t>(at - split.per_class.begin())]; };
  return fmt::format("{} images, from {} ({}) to {} ({}) a class", split.images, *least, name(least), *most,
                     name(most));
}

std::string Digits(const std::array<double, 3>& values) {
  return fmt::format("{:.8f}  {:.8f}  {:.8f}", values[0], values[1], values[2]);
}

void PrintReport(const data::Report& report) {
  const data::DatasetInfo& info = report.info;
  Table table({{""}, {""}});
  table.AddRow({"dataset", fmt::format("{} ({}), {} classes, {} x {} pixels", info.name, info.form, info.classes,
                                       info.height, info.width)});
  if (report.train) table.AddRow({"training", Balance(*report.train, info)});
  if (report.test) table.AddRow({"test", Balance(*report.test, info)});
  const char* split = report.train ? "training" : "test";
  table.AddRow({"mean", fmt::format("{}  (of pixel / 255, {} images)", Digits(report.mean), split)});
  table.AddRow({"sd", Digits(report.sd)});
  table.AddRow({"normalised by", fmt::format("{}  (mean)", Digits(info.mean))});
  table.AddRow({"", fmt::format("{}  (sd)", Digits(info.sd))});
  if (!report.archive_md5.empty()) {
    table.AddRow({"archive", fmt::format("MD5 {}", report.archive_md5)});
    table.AddRow({"", report.archive_verdict});
  }
  if (!report.digest.empty()) table.AddRow({"digest", report.digest + "  (SHA-256 of pixels and labels)"});
  table.Print();
}

nlohmann::json SplitJson(const std::optional<data::SplitReport>& split) {
  if (!split) return nullptr;
  return {{"images", split->images}, {"per_class", split->per_class}};
}

nlohmann::json ReportJson(const data::Report& report, bool verified) {
  const data::DatasetInfo& info = report.info;
  nlohmann::json json = {{"dataset", info.name},
                         {"form", info.form},
                         {"classes", info.classes},
                         {"class_names", info.class_names},
                         {"height", info.height},
                         {"width", info.width},
                         {"train", SplitJson(report.train)},
                         {"test", SplitJson(report.test)},
                         {"mean", report.mean},
                         {"sd", report.sd},
                         {"normalise", {{"mean", info.mean}, {"sd", info.sd}}},
                         {"warnings", report.warnings}};
  if (!verified) return json;
  json["digest"] = report.digest;
  json["archive_md5"] = report.archive_md5.empty() ? nlohmann::json(nullptr) : nlohmann::json(report.archive_md5);
  json["archive"] = report.archive_verdict.empty() ? nlohmann::json(nullptr) : nlohmann::json(report.archive_verdict);
  return json;
}

int Show(const std::string& what, bool verify, bool as_json) {
  const data::Report report = data::Inspect({.dataset = what}, verify);
  for (const std::string& warning : report.warnings) base::LogWarning(warning);
  if (as_json) {
    Print(ReportJson(report, verify).dump(2) + "\n");
  } else {
    PrintReport(report);
  }
  return 0;
}

int Download(const std::string& name, const data::FetchOptions& options, bool as_json) {
  const std::string path = data::Fetch(name, options).string();
  Print(as_json ? nlohmann::json{{"dataset", name}, {"path", path}}.dump(2) + "\n"
                : fmt::format("{}: MD5 is the official one; use it with --dataset "
                              "{} --data {}\n",
                              path, name, path));
  return 0;
}

}  // namespace

int RunData(const Arguments& arguments) {
  std::string action, what, folder = "data", url;
  OutputOptions output;
  OptionSet options("data",
                    "info PATH: counts, class balance, mean and sd of an "
                    "archive, a folder or a named dataset.\n"
                    "verify PATH: the same after reading every byte, with the "
                    "archive's MD5 and one digest of pixels and\n"
                    "labels that is the same for every storage form.\n"
                    "fetch cifar10|cifar100: downloads the official archive "
                    "with curl or wget and compares its MD5.");
  options.AddPositional("action", &action, "info, verify or fetch",
                        /*required=*/true);
  options.AddPositional("what", &what, "path or name of a dataset",
                        /*required=*/true);
  options.Group("fetch");
  options.Add("to", &folder, "DIR", "folder to download to");
  options.Add("url", &url, "URL", "folder to download from, in place of the author's site");
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  if (action == "info" || action == "verify") return Show(what, action == "verify", output.json);
  if (action == "fetch") {
    return Download(what,
                    {.folder = folder, .base_url = url, .show_progress = base::GetLogLevel() != base::LogLevel::kQuiet},
                    output.json);
  }
  const std::string nearest = base::NearestName(action, {"info", "verify", "fetch"});
  throw base::UsageError(fmt::format("unknown action '{}'", action), "data",
                         nearest.empty() ? "give info, verify or fetch" : fmt::format("did you mean '{}'?", nearest));
}

}  // namespace pdarts::cli
