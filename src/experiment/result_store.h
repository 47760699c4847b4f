// Records: the stored ones that come with pdarts, and those of a run's folder.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiment/record.h"

namespace pdarts::experiment {

// Stored records, read-only, to compare with. They are found by what they served, since a newer version of pdarts makes
// other keys.
class StoredRecords {
 public:
  // (name, text) of every file of results/records. Throws a data error for a malformed one.
  explicit StoredRecords(const std::vector<std::pair<std::string, std::string_view>>& files);

  // All records that served this value, of data with this digest ("": any), in the order of search and training.
  std::vector<const Record*> Find(const Role& role, const std::string& dataset_digest) const;

 private:
  std::vector<Record> records_;
};

// The records of one run's folder, one file a task: FOLDER/records/KEY.json.
class ResultStore {
 public:
  // Reads what is there; makes no folder. Throws a data error with the path of a malformed or truncated record.
  explicit ResultStore(std::filesystem::path folder);

  const Record* Find(const std::string& key) const;  // null where the task is not finished
  // The records that serve any value of a line's column.
  std::vector<const Record*> FindRole(const std::string& line, const std::string& column) const;

  // Adds the record, or only its roles where the task is there already, and writes it atomically.
  void Put(Record record);

  const std::map<std::string, Record>& records() const { return records_; }

 private:
  std::filesystem::path Path(const std::string& key) const;

  std::filesystem::path folder_;
  std::map<std::string, Record> records_;  // by key
};

// The digest of the data that a task was given, from its inputs; "" where it needs none.
std::string DatasetDigestOf(const Record& record);

}  // namespace pdarts::experiment
