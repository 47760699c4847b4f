#include "search/architectures.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/embedded.h"
#include "base/error.h"
#include "base/file.h"

namespace pdarts::search {
namespace {

using nlohmann::json;

constexpr std::string_view kFile = "reproduce/architectures.json";

struct Catalogue {
  std::vector<Architecture> architectures;         // sorted by name
  std::map<std::string, std::string> unavailable;  // name, why
};

Catalogue ReadCatalogue() {
  const auto files = base::EmbeddedFiles();
  const auto file = std::ranges::find(files, kFile, &base::EmbeddedFile::name);
  PD_CHECK(file != files.end(), "{} is not embedded", kFile);
  const json value = json::parse(file->content);
  const json& all = value.at("architectures");
  Catalogue catalogue;
  for (const auto& [name, item] : all.items()) {  // an object's keys are sorted
    json cells = item;
    if (item.contains("reduce_of")) {
      const json& lender = all.at(item.at("reduce_of").get<std::string>());
      cells["reduce"] = lender.at("reduce");
      cells["reduce_concat"] = lender.at("reduce_concat");
    }
    catalogue.architectures.push_back({name, item.at("about").get<std::string>(), item.at("source").get<std::string>(),
                                       GenotypeFromJson(cells, std::string(kFile) + ": " + name)});
  }
  catalogue.unavailable = value.at("unavailable").get<std::map<std::string, std::string>>();
  return catalogue;
}

const Catalogue& TheCatalogue() {
  static const Catalogue catalogue = ReadCatalogue();
  return catalogue;
}

const Architecture* Named(const std::string& name) {
  const auto& list = TheCatalogue().architectures;
  const auto found = std::ranges::find(list, name, &Architecture::name);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Architecture> Architectures() { return TheCatalogue().architectures; }

const Architecture& FindArchitecture(const std::string& name, const std::string& where) {
  if (const Architecture* found = Named(name)) return *found;
  const Catalogue& catalogue = TheCatalogue();
  if (const auto why = catalogue.unavailable.find(name); why != catalogue.unavailable.end())
    throw base::UsageError(fmt::format("{} cannot be had: {}", name, why->second), where, "give another cell");
  std::vector<std::string> names;
  for (const Architecture& architecture : catalogue.architectures) names.push_back(architecture.name);
  const std::string nearest = base::NearestName(name, names);
  throw base::UsageError(fmt::format("no architecture and no file is called '{}'", name), where,
                         nearest.empty()
                             ? fmt::format("give a file, a 'Genotype(...)' text, or one of {}", fmt::join(names, ", "))
                             : fmt::format("did you mean {}?", nearest));
}

Architecture ResolveArchitecture(const std::string& text, const std::string& where) {
  if (text.find('(') != std::string::npos) return {"a cell without a name", "", "", ParseGenotype(text)};
  if (Named(text) == nullptr && std::filesystem::exists(text)) {
    const std::string content = base::ReadFile(text);
    const json value = json::parse(content, nullptr, /*allow_exceptions=*/false);
    return {text, "", "", value.is_object() ? GenotypeFromJson(value, text) : ParseGenotype(content)};
  }
  return FindArchitecture(text, where);
}

}  // namespace pdarts::search
