#include "experiment/result_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace pdarts::experiment {
namespace {

bool Serves(const Role& role, const Role& wanted) {
  return role.table == wanted.table && role.level == wanted.level && role.line == wanted.line &&
         role.column == wanted.column;
}

}  // namespace

StoredRecords::StoredRecords(const std::vector<std::pair<std::string, std::string_view>>& files) {
  for (const auto& [name, text] : files)
    for (Record& record : ParseRecords(text, name)) records_.push_back(std::move(record));
}

std::vector<const Record*> StoredRecords::Find(const Role& role, const std::string& dataset_digest) const {
  std::vector<std::pair<std::pair<int, int>, const Record*>> found;
  for (const Record& record : records_)
    for (const Role& one : record.roles)
      if (Serves(one, role) && (dataset_digest.empty() || DatasetDigestOf(record) == dataset_digest))
        found.push_back({{one.search, one.training}, &record});
  std::ranges::stable_sort(found, {}, [](const auto& pair) { return pair.first; });
  std::vector<const Record*> records;
  for (const auto& [order, record] : found) records.push_back(record);
  return records;
}

ResultStore::ResultStore(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "records", error)) {
    if (entry.path().extension() != ".json") continue;  // what a killed run left half written has another name
    for (Record& record : ParseRecords(base::ReadFile(entry.path()), entry.path().string())) {
      const std::string key = record.key;
      records_.insert_or_assign(key, std::move(record));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw base::DataError(error.message(), (folder_ / "records").string(), "make the folder readable");
}

const Record* ResultStore::Find(const std::string& key) const {
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : &found->second;
}

std::vector<const Record*> ResultStore::FindRole(const std::string& line, const std::string& column) const {
  std::vector<const Record*> found;
  for (const auto& [key, record] : records_)
    if (std::ranges::any_of(record.roles, [&](const Role& r) { return r.line == line && r.column == column; }))
      found.push_back(&record);
  return found;
}

void ResultStore::Put(Record record) {
  const std::string key = record.key;
  const auto found = records_.find(key);
  if (found == records_.end()) {
    base::MakeFolder(folder_ / "records");
    base::WriteFileAtomically(Path(key), ToJson(record).dump(1) + "\n");
    records_.emplace(key, std::move(record));
    return;
  }
  Record merged = found->second;
  for (const Role& role : record.roles)
    if (std::ranges::find(merged.roles, role) == merged.roles.end()) merged.roles.push_back(role);
  if (merged.roles == found->second.roles) return;
  base::WriteFileAtomically(Path(key), ToJson(merged).dump(1) + "\n");
  found->second = std::move(merged);
}

std::filesystem::path ResultStore::Path(const std::string& key) const { return folder_ / "records" / (key + ".json"); }

std::string DatasetDigestOf(const Record& record) {
  const auto inputs = nlohmann::json::parse(record.inputs);
  return inputs.contains("dataset") ? inputs["dataset"].value("digest", "") : "";
}

}  // namespace pdarts::experiment
