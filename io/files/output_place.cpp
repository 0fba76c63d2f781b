#include "io/files/output_place.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

#include "io/core/error.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"
#include "io/files/path_facts.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as many as the system follows

// Whether the link is one of those by which the system names open files: /proc/self/fd/1.
bool names_open_file(const std::string& link, int& descriptor) {
  std::error_code error;
  const std::string folder = fs::canonical(folder_of(link), error).string();
  if (error && is_machine_failure(error.value()))
    throw system_error("{}: cannot be looked at: {}", link, error.message());
  if (error || !folder.starts_with("/proc/") || !folder.ends_with("/fd")) return false;
  const std::string name = fs::path(link).filename().string(), own = "/proc/" + std::to_string(::getpid()) + "/";
  const bool number = !name.empty() && name.size() < 8 &&
                      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (number && folder.starts_with(own)) descriptor = std::stoi(name);
  return number;
}

void check_length(const std::string& given, const OutputPlace& place) {
  const std::string name = fs::path(place.path).filename().string();
  const int64_t limit = ::pathconf(place.folder.c_str(), _PC_NAME_MAX);
  const auto most = static_cast<size_t>(limit > 0 ? limit : NAME_MAX) - std::strlen(kPartialEnding);
  if (name.size() > most)
    throw usage_error("{}: name too long: {} bytes, and at most {} leave room for {} behind it", given, name.size(),
                      most, kPartialEnding);
}

}  // namespace

OutputPlace output_place(const std::string& path, FileSystem& files) {
  if (path.empty()) throw usage_error("a file to write has no name");
  OutputPlace place = {.path = path, .folder = {}};
  std::optional<struct stat> facts;
  for (int links = 0;; ++links) {
    place.folder = folder_of(place.path);
    if (fs::path(place.path).filename().empty()) throw usage_error("{}: names a folder, wanted a file", path);
    facts = facts_of(place.path, LastLink::kItself, files);
    if (!facts) {
      if (errno == ENAMETOOLONG && place.path.size() >= PATH_MAX)
        throw usage_error("{}: name too long: {} bytes, and the system takes {}", path, place.path.size(),
                          PATH_MAX - 1);
      if (names_open_file(place.path, place.descriptor)) throw usage_error("{}: is closed", path);
      check_length(path, place);
      return place;  // a new file; whoever makes it says why that cannot be
    }
    if (!S_ISLNK(facts->st_mode)) break;
    if (names_open_file(place.path, place.descriptor)) {
      place.through = true;
      return place;
    }
    std::error_code error;
    const fs::path target = fs::read_symlink(place.path, error);
    if (error)
      throw Error(failure_kind(error.value(), ErrorKind::kUsage), place.path + ": cannot be read: " + error.message());
    if (links == kMostLinks) throw usage_error("{}: its links lead in a circle", path);
    place.path = target.is_absolute() ? target.string() : (fs::path(place.folder) / target).string();
  }
  if (S_ISDIR(facts->st_mode)) throw usage_error("{}: is a folder, wanted a file", path);
  place.through = !S_ISREG(facts->st_mode);
  if (place.through) return place;
  check_length(path, place);
  place.former = facts;
  return place;
}

std::string written_path(const std::string& path, FileSystem& files) {
  const OutputPlace place = output_place(path, files);
  return place.descriptor >= 0 ? path : place.path;
}

}  // namespace resflow
