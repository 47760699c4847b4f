// pdarts devices
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/cpu_info.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "cli/table.h"

namespace pdarts::cli {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

nlohmann::json ToJson(const CpuInfo& info) {
  return {{"device", "cpu"},
          {"model", info.model},
          {"cores", info.cores},
          {"isa", info.isa},
          {"memory_total_bytes", info.memory_total},
          {"memory_available_bytes", info.memory_available}};
}

}  // namespace

int RunDevices(const Arguments& arguments) {
  OutputOptions output;
  OptionSet options("devices", "Lists the devices pdarts can compute on, as --device names them.");
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  const CpuInfo info = ReadCpuInfo();
  if (output.json) {
    Print(nlohmann::json::array({ToJson(info)}).dump(2) + "\n");
    return 0;
  }
  using enum Table::Align;
  Table table(
      {{"device"}, {"model"}, {"cores", kRight}, {"instruction sets"}, {"memory", kRight}, {"available", kRight}});
  table.AddRow({"cpu", info.model, std::to_string(info.cores), fmt::format("{}", fmt::join(info.isa, " ")),
                fmt::format("{:.1f} GiB", static_cast<double>(info.memory_total) / kGiB),
                fmt::format("{:.1f} GiB", static_cast<double>(info.memory_available) / kGiB)});
  table.Print();
  return 0;
}

}  // namespace pdarts::cli
