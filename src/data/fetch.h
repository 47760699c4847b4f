// Downloads datasets with the machine's own curl or wget.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pdarts::data {

struct FetchOptions {
  std::filesystem::path folder = "data";  // made if it is not there
  std::string base_url;                   // where to look instead of the author's site; empty: the author's
  bool show_progress = false;             // let the downloader write its progress to stderr
  std::vector<std::string> downloaders = {"curl", "wget"};  // programs to try, found on PATH
};

// Downloads the official archive of "cifar10" (binary version) or "cifar100" (python version): to NAME.part, then its
// MD5 is compared, then it is renamed. Returns the archive's path. A file that is there already and right is kept
// without a download; one that is wrong is not touched. Throws a usage error for another name, a data error where no
// downloader is found, the download fails or the MD5 differs (the .part file is then removed).
std::filesystem::path Fetch(const std::string& name, const FetchOptions& options);

// The same for any file: `url` is a folder with its slash, `file` the name in it.
std::filesystem::path FetchFile(const std::string& url, const std::string& file, const std::string& md5,
                                const FetchOptions& options);

}  // namespace pdarts::data
