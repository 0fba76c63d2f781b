#include "io/files/path_facts.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "io/core/error.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"

namespace resflow {
namespace {

void check_answered(const std::string& path) {
  if (is_machine_failure(errno)) throw system_error("{}: cannot be looked at: {}", path, reason_of(errno));
}

}  // namespace

std::optional<struct stat> facts_of(const std::string& path, LastLink link, FileSystem& files) {
  struct stat facts {};
  const int failed = persistently(files, [&] {
    return link == LastLink::kFollowed ? files.stat(path.c_str(), &facts) : files.lstat(path.c_str(), &facts);
  });
  if (failed == 0) return facts;
  check_answered(path);
  return std::nullopt;
}

bool is_there(const std::string& path, LastLink link, FileSystem& files) {
  if (facts_of(path, link, files)) return true;
  if (is_no_permission(errno)) throw usage_error("{}: no permission to look at it", path);
  return false;
}

bool is_folder(const std::string& path, LastLink link, FileSystem& files) {
  const auto facts = facts_of(path, link, files);
  return facts && S_ISDIR(facts->st_mode);
}

bool is_allowed(const std::string& path, int how, FileSystem& files) {
  if (persistently(files, [&] { return files.access(path.c_str(), how); }) == 0) return true;
  check_answered(path);
  return false;
}

void make_folders(const std::string& path, const std::string& named) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return;
  const std::string sentence = named + ": cannot make the folder: " + error.message();
  throw Error(failure_kind(error.value(), ErrorKind::kUsage), sentence);
}

}  // namespace resflow
