#include "io/files/glob.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace resflow {
namespace {

std::string without_backslashes(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

}  // namespace

bool has_wildcard(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '*' || text[i] == '?' || text[i] == '[') {
      return true;
    }
  }
  return false;
}

Glob::Glob(const std::string& pattern) : absolute_(pattern.starts_with('/')), folders_only_(pattern.ends_with('/')) {
  for (size_t begin = 0; begin < pattern.size();) {
    const size_t end = std::min(pattern.find('/', begin), pattern.size());
    if (end > begin) parts_.push_back(pattern.substr(begin, end - begin));
    begin = end + 1;
  }
}

// Goes on to the next part with a wildcard. True where there is none left and the path is there: it is the match.
bool Glob::descend(std::string prefix, size_t part, Match& match) {
  for (; part < parts_.size() && !has_wildcard(parts_[part]); ++part)
    prefix += without_backslashes(parts_[part]) + (part + 1 < parts_.size() ? "/" : "");
  struct stat status {};
  if (part < parts_.size()) {
    const std::string folder = prefix.empty() ? "." : prefix;
    if (::stat(folder.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return false;
    levels_.push_back({std::move(prefix), part, FolderListing(folder)});
    return false;
  }
  // A broken link is there too, as a file.
  if (::stat(prefix.c_str(), &status) != 0 && ::lstat(prefix.c_str(), &status) != 0) return false;
  if (folders_only_ && !S_ISDIR(status.st_mode)) return false;
  match = found(std::move(prefix));
  return true;
}

Glob::Match Glob::found(std::string path) const {
  if (folders_only_) path += '/';
  return {std::move(path), {}};
}

bool Glob::next(Match& match) {
  if (!std::exchange(begun_, true) && descend(absolute_ ? "/" : "", 0, match)) return true;
  FolderEntry entry;
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (!level.listing.next(entry)) {
      Match failed{std::move(level.prefix), level.listing.failure()};
      levels_.pop_back();
      if (failed.error.empty()) continue;
      match = std::move(failed);
      return true;
    }
    const size_t part = level.part;
    if (::fnmatch(parts_[part].c_str(), entry.name.c_str(), FNM_PERIOD) != 0) continue;
    const bool last = part + 1 == parts_.size();
    if ((!last || folders_only_) && !entry.folder) continue;
    std::string path = level.prefix + entry.name;
    if (last) {
      match = found(std::move(path));
      return true;
    }
    if (descend(path + '/', part + 1, match)) return true;
  }
  return false;
}

}  // namespace resflow
