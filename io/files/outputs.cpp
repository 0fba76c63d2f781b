#include "io/files/outputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <filesystem>

#include "io/core/error.h"
#include "io/core/setting.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"
#include "io/files/output_place.h"
#include "io/files/path_facts.h"

namespace resflow {
namespace {

struct Checked {
  const OutputFile* output;
  OutputPlace place;
};

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void check_folder(const Checked& checked, FileSystem& files) {
  const auto& [output, place] = checked;
  if (place.descriptor >= 0) {
    if (::fcntl(place.descriptor, F_GETFD) < 0) throw usage_error("{} {}: is closed", output->name, output->path);
    return;
  }
  if (place.through) {
    if (!is_allowed(place.path, W_OK, files))
      throw usage_error("{} {}: no permission to write to it", output->name, output->path);
    return;
  }
  if (!is_folder(place.folder, LastLink::kFollowed, files))
    throw usage_error("{}: there is no folder {}", output->path, place.folder);
  if (!is_allowed(place.folder, W_OK | X_OK, files))
    throw usage_error("{}: no permission to write in {}", output->path, place.folder);
}

void check_pipe(const Checked& checked, FileSystem& files) {
  const OutputFile* const output = checked.output;
  const OutputPlace& place = checked.place;  // a name that a lambda may capture
  if (!output->needs_file || !place.through) return;
  struct stat status {};
  if (place.descriptor < 0)
    status = facts_of(place.path, LastLink::kFollowed, files).value_or(status);
  else if (persistently(files, [&] { return files.fstat(place.descriptor, &status); }) != 0)
    throw system_error("{} {}: cannot be looked at: {}", output->name, output->path, reason_of(errno));
  // /dev/null takes everything.
  if (S_ISCHR(status.st_mode)) return;
  throw usage_error("{} {}: is no file, and what is written there is not written from one end to the other",
                    output->name, output->path);
}

std::filesystem::path plain(const std::string& path) {
  std::error_code no_current_folder;
  return std::filesystem::absolute(path, no_current_folder).lexically_normal();
}

// A file that is there by another name, or one that is not there yet in a folder that has several.
bool are_one(const OutputPlace& one, const OutputPlace& other, FileSystem& files) {
  if (!one.through && plain(one.path) == plain(other.path)) return true;
  if (one.descriptor >= 0 || other.descriptor >= 0) return one.descriptor == other.descriptor;
  if (one.former && other.former) return is_same_file(*one.former, *other.former);
  if (one.former || other.former || one.through != other.through) return false;
  const auto are_same = [&](const std::string& left, const std::string& right, bool devices) {
    const auto first = facts_of(left, LastLink::kFollowed, files), second = facts_of(right, LastLink::kFollowed, files);
    return first && second && is_same_file(*first, *second) && (devices || !S_ISCHR(first->st_mode));
  };
  if (one.through) return are_same(one.path, other.path, false);
  return std::filesystem::path(one.path).filename() == std::filesystem::path(other.path).filename() &&
         are_same(one.folder, other.folder, true);
}

bool is_being_written(const std::string& partial, FileSystem& files) {
  const int file = persistently(
      files, [&] { return files.open(partial.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0); });
  if (file < 0 && is_machine_failure(errno)) throw system_error("{}: cannot be opened: {}", partial, reason_of(errno));
  if (file < 0) return false;
  const Lock lock = try_lock(files, file, true);
  files.close(file);
  return lock == Lock::kHeldByAnother;
}

// The names that a scoring gives to what it leaves are documented (docs/score-files.md), for others to keep off.
void check_begun(const Checked& checked, FileSystem& files) {
  constexpr const char* kJournalEnding = ".journal";
  const auto& [output, place] = checked;
  if (place.through) return;
  const std::string journal = place.path + kJournalEnding, partial = place.path + kPartialEnding;
  if (!output->goes_on && is_there(journal, LastLink::kItself, files))
    throw usage_error("{} {}: a run was begun there and not finished ({}): go on with it by {}, or write elsewhere",
                      output->name, output->path, journal, setting("resume"));
  if (is_being_written(partial, files))
    throw usage_error("{} {}: another program is writing it: wait for it, or write elsewhere", output->name,
                      output->path);
  const bool is_left = place.path.ends_with(kPartialEnding) || place.path.ends_with(kJournalEnding);
  if (is_left && place.former)
    throw usage_error(
        "{} {}: is what a run left that was begun and not finished: go on with it by {}, or write "
        "elsewhere",
        output->name, output->path, setting("resume"));
}

}  // namespace

void check_outputs(const std::vector<OutputFile>& outputs, const std::vector<std::string>& inputs, FileSystem& files) {
  std::vector<Checked> all;
  for (const OutputFile& output : outputs)
    if (!output.path.empty()) all.push_back({&output, output_place(output.path, files)});
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (are_one(all[k].place, all[i].place, files))
        throw usage_error("{}: is to be two files at once: give {} and {} a name each",
                          plain(all[i].place.path).string(), all[k].output->name, all[i].output->name);
  for (const Checked& checked : all) {
    const auto& [output, place] = checked;
    for (const std::string& input : inputs) {
      if (!place.former) break;
      const auto read = facts_of(input, LastLink::kFollowed, files);
      if (read && is_same_file(*place.former, *read))
        throw usage_error("{} {}: is {}, which is to be read, and would be lost; write elsewhere", output->name,
                          output->path, input);
    }
    check_folder(checked, files);
    check_pipe(checked, files);
    check_begun(checked, files);
  }
}

void write_each(const std::vector<std::function<void()>>& writes) {
  std::exception_ptr first;
  for (const auto& write : writes) {
    try {
      write();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace resflow
