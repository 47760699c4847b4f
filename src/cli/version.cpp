// pdarts version
#include <oneapi/dnnl/dnnl.h>

#include <boost/version.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "cli/table.h"

namespace pdarts::cli {
namespace {

nlohmann::ordered_json VersionFacts() {
  const dnnl_version_t* dnnl = dnnl_version();
  return {
      {"pdarts", PDARTS_VERSION},
      {"compiler", "gcc " __VERSION__},
      {"build type", PDARTS_BUILD_TYPE},
      {"flags", PDARTS_BUILD_FLAGS},
      {"linked", PDARTS_LINKED},
      {"kernels", "scalar avx2 avx512"},
      {"oneDNN", fmt::format("{}.{}.{}, {}", dnnl->major, dnnl->minor, dnnl->patch, "OpenMP")},
      {"Boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
  };
}

}  // namespace

int RunVersion(const Arguments& arguments) {
  OutputOptions output;
  OptionSet options("version", "Prints the version of pdarts and how this binary was built.");
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  const nlohmann::ordered_json facts = VersionFacts();
  if (output.json) {
    Print(facts.dump(2) + "\n");
    return 0;
  }
  Table table(std::vector<Table::Column>(2));
  for (const auto& [key, value] : facts.items()) table.AddRow({key, value.get<std::string>()});
  table.Print();
  return 0;
}

}  // namespace pdarts::cli
