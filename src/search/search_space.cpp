#include "search/search_space.h"

#include <algorithm>

namespace pdarts::search {
namespace {

constexpr const char* kNames[kAllPrimitives] = {"none",         "max_pool_3x3", "avg_pool_3x3", "skip_connect",
                                                "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
                                                "sep_conv_7x7", "conv_7x1_1x7"};

}  // namespace

const char* Name(Primitive primitive) { return kNames[static_cast<int>(primitive)]; }

bool ParsePrimitive(std::string_view name, Primitive* primitive) {
  const auto found = std::ranges::find(kNames, name, [](const char* text) { return std::string_view(text); });
  if (found == std::end(kNames)) return false;
  *primitive = static_cast<Primitive>(found - std::begin(kNames));
  return true;
}

std::vector<std::string> PrimitiveNames() { return {std::begin(kNames), std::end(kNames)}; }

Switches Switches::All() {
  Switches switches;
  std::vector<Primitive> all;
  for (int i = 0; i < kSearchPrimitives; ++i) all.push_back(static_cast<Primitive>(i));
  switches.normal.fill(all);
  switches.reduce.fill(all);
  return switches;
}

}  // namespace pdarts::search
