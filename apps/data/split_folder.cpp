#include "apps/data/split_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "apps/data/split_manifest.h"
#include "apps/data/split_removal.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/files/file_errors.h"
#include "io/files/folder_below.h"
#include "io/files/machine_failure.h"
#include "io/files/output_place.h"
#include "io/files/partial_file.h"
#include "io/files/path_facts.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartial = ".partial";
constexpr const char* kOld = ".old";

constexpr std::pair<SplitHow, const char*> kNames[] = {{SplitHow::kList, "list"},
                                                       {SplitHow::kSymlink, "symlink"},
                                                       {SplitHow::kHardlink, "hardlink"},
                                                       {SplitHow::kCopy, "copy"},
                                                       {SplitHow::kMove, "move"}};

bool has_name(const fs::path& path) { return is_there(path.string(), LastLink::kItself); }

[[noreturn]] void fail(const fs::path& path, const std::string& doing, const std::error_code& error) {
  throw system_error("{}: cannot be {}: {}", printable(path.string()), doing, error.message());
}

// A file whose writing was killed (io/files/partial_file.h); resflow 1.0 called it NAME.partial.
void remove_unfinished(const fs::path& partial, const fs::path& place) {
  const FolderBelow above(partial, place.parent_path());
  if (above.descriptor() < 0) return;
  remove_stale_partials(output_place((partial / place).string()), machine_files());
  above.remove(place.filename().string() + kPartial);
}

// What was begun in `partial` goes; moved files go back first.
void undo(const fs::path& partial, const SplitManifest& manifest, const std::string& data) {
  if (manifest.how == SplitHow::kMove) move_back(partial, manifest, data);
  if (!remove_split(partial, manifest))
    throw usage_error("{}: is in the way, and holds files that no split made: move them away", partial.string());
}

dev_t device_of(const fs::path& path) {
  const auto facts = facts_of(path.string());
  if (!facts) throw data_error("{}: {}", printable(path.string()), reason_of(errno));
  return facts->st_dev;
}

// Finds out before anything is made whether all of it can be made. Sets the sizes of `made`.
void verify_sources(const SplitJob& job, const fs::path& parent, std::vector<SplitMade>& made, Listener& listener) {
  const bool same_device = job.how == SplitHow::kHardlink || job.how == SplitHow::kMove;
  const dev_t device = same_device ? device_of(parent) : 0;
  int64_t bytes = 0;
  for (size_t i = 0; i < job.files.size(); ++i) {
    const SplitFile& file = job.files[i];
    if (same_device && device_of(file.source) != device)
      throw usage_error("{} {}: {} is on another file system than {}; {} copy or symlink", setting("how"),
                        split_how_name(job.how), printable(file.source), parent.string(), setting("how"));
    std::error_code error;
    const bool moves = job.how == SplitHow::kMove;
    const fs::path real = moves ? fs::canonical(file.source, error) : fs::path();
    if (error && is_machine_failure(error.value()))
      throw system_error("{}: {}", printable(file.source), error.message());
    if (moves && real != file.source)
      throw usage_error("{} move: {} is a link, or lies behind one; {} copy or symlink", setting("how"),
                        printable(file.source), setting("how"));
    if (job.how == SplitHow::kCopy) {
      const auto size = static_cast<int64_t>(fs::file_size(file.source, error));
      if (error)
        throw Error(failure_kind(error.value(), ErrorKind::kData), printable(file.source) + ": " + error.message());
      made[i].bytes = size;
      bytes += size;
    }
    if (job.how == SplitHow::kList) made[i].bytes = static_cast<int64_t>(file.text.size());
  }
  // What is free for this user may be another figure, so it is no more than a warning.
  if (const int64_t free = machine_files().free_bytes(parent.c_str()); free >= 0 && bytes > free)
    listener.warn(fmt::format("{}: {} to copy, and {} free", parent.string(), format_bytes(static_cast<double>(bytes)),
                              format_bytes(static_cast<double>(free))));
}

void place_file(const SplitFile& file, SplitHow how, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (error) fail(to.parent_path(), "made", error);
  switch (how) {
    case SplitHow::kList:
      replace_text_file(to.string(), file.text);
      return;
    case SplitHow::kSymlink:
      fs::create_symlink(file.source, to, error);
      if (error) fail(to, fmt::format("made as a link ({} copy does without)", setting("how")), error);
      return;
    case SplitHow::kHardlink: {
      // A hard link to the file, not to a symbolic link to it, which could lead elsewhere from here.
      const fs::path target = fs::canonical(file.source, error);
      if (!error) fs::create_hard_link(target, to, error);
      if (error) fail(to, fmt::format("made as a hard link ({} copy does without)", setting("how")), error);
      return;
    }
    case SplitHow::kCopy:
      fs::copy_file(file.source, to, error);
      if (error) fail(file.source, "copied", error);
      return;
    case SplitHow::kMove:
      fs::rename(file.source, to, error);
      if (error) fail(file.source, "moved", error);
      return;
  }
}

const char* label_of(SplitHow how) {
  return how == SplitHow::kCopy ? "copying" : how == SplitHow::kMove ? "moving" : "writing";
}

// All that was made is on the disk, its folders as well: one call for the file system, where one for each of a million
// small files would take hours.
void make_durable(const fs::path& folder) {
  const int open = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int failed = open < 0 ? -1 : ::syncfs(open);
  const int error = errno;
  if (open >= 0) ::close(open);
  if (failed != 0 && !is_not_supported(error))
    fail(folder, "synced to the disk", std::error_code(error, std::generic_category()));
}

// `partial` becomes `out`. If there was a former `out`, it is called `partial` afterwards.
void swap_in(const fs::path& partial, const fs::path& out) {
  std::error_code error;
  const bool replaces = has_name(out) && !fs::is_empty(out, error);
  if (!replaces) {
    fs::rename(partial, out, error);
    if (error) fail(out, "made", error);
    return;
  }
  if (machine_files().exchange(partial.c_str(), out.c_str()) == 0) return;
  if (!is_not_supported(errno)) fail(out, "replaced", std::error_code(errno, std::generic_category()));
  // This file system cannot exchange two names. Killed between the two renames, the former split is at OUT.old alone,
  // and the next run gives it its name back.
  const fs::path old = out.string() + kOld;
  fs::rename(out, old, error);
  if (error) fail(out, "renamed", error);
  fs::rename(partial, out, error);
  if (error) {
    std::error_code ignored;
    fs::rename(old, out, ignored);
    fail(out, "replaced", error);
  }
  fs::rename(old, partial, error);
  if (error) fail(old, "renamed", error);
}

// OUT.old is what a run left that was killed while it exchanged OUT and OUT.partial in steps.
void recover_old(const std::string& out, Listener& listener) {
  const fs::path old(out + kOld);
  const std::optional<SplitManifest> former = read_manifest(old);
  std::error_code error;
  if (!former || fs::is_symlink(old, error)) return;  // it is none of ours
  if (!has_name(out)) {
    fs::rename(old, out, error);
    if (error) fail(old, "renamed", error);
    listener.note(fmt::format("{} is {} again: a run was killed while it replaced it", old.string(), out));
    return;
  }
  const std::string why = why_not_removable(old, *former, SplitState::kWhole);
  if (why.empty() && remove_split(old, *former))
    listener.note(fmt::format("{} of a split that was replaced is removed", old.string()));
  else
    listener.warn(fmt::format("{}: of the former split, stays{}{}", old.string(), why.empty() ? "" : ": ", why));
}

// Throws where `out` holds what a new split must not replace.
void check_out(const std::string& out, bool overwrite, SplitState state) {
  std::error_code error;
  if (!has_name(out)) return;
  if (!is_folder(out)) throw usage_error("{} {}: is a file, wanted a new folder", setting("out"), out);
  const bool empty = fs::is_empty(out, error);
  if (error)
    throw Error(failure_kind(error.value(), ErrorKind::kUsage),
                fmt::format("{} {}: cannot be read: {}", setting("out"), out, error.message()));
  if (empty) return;
  const std::optional<SplitManifest> former = read_manifest(out);
  if (!former) throw usage_error("{} {}: holds files that no split made; give a new folder", setting("out"), out);
  if (!overwrite) throw usage_error("{} {}: holds a split; {} replaces it", setting("out"), out, setting("overwrite"));
  if (const std::string why = why_not_removable(out, *former, state); !why.empty())
    throw usage_error("{}: {}, so the split in {} is not replaced; give another {}", setting("overwrite"), why, out,
                      setting("out"));
}

}  // namespace

SplitHow split_how(const std::string& name) {
  for (const auto& [how, known] : kNames)
    if (name == known) return how;
  throw usage_error("{} '{}': wanted list, symlink, hardlink, copy or move", setting("how"), printable(name));
}

const char* split_how_name(SplitHow how) {
  for (const auto& [known, name] : kNames)
    if (how == known) return name;
  throw internal_error("a way to split without a name");
}

void check_split_folder(const std::string& out, const std::string& data, bool overwrite) {
  const auto within = [](const fs::path& path, const fs::path& folder) {
    const fs::path relative = path.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
  };
  if (within(out, data))
    throw usage_error("{} {}: lies within {}, of which it would become a class; give a folder beside it",
                      setting("out"), out, data);
  if (within(data, out)) throw usage_error("{} {}: holds {}, the photographs to split", setting("out"), out, data);
  check_out(out, overwrite, SplitState::kWhole);
}

std::unique_ptr<FileLock> lock_split_folder(const std::string& out) {
  if (!is_folder(fs::path(out).parent_path())) return nullptr;  // nobody is at work there
  return std::make_unique<FileLock>(out + ".lock", fmt::format("{} {}", setting("out"), out));
}

void recover_split_folder(const std::string& out, const std::string& data, Listener& listener) {
  recover_old(out, listener);
  const fs::path partial(out + kPartial);
  if (!has_name(partial)) return;
  const auto in_the_way = [&](const std::string& why) {
    return usage_error("{}: is in the way{}{}: move it away", partial.string(), why.empty() ? "" : ": ", why);
  };
  std::error_code error;
  if (!is_folder(partial, LastLink::kItself)) throw in_the_way("is no folder");
  remove_unfinished(partial, kSplitManifest);
  if (fs::is_empty(partial, error)) {
    fs::remove(partial, error);
    return;
  }
  const std::optional<SplitManifest> left = read_manifest(partial);
  if (!left) throw in_the_way("");
  if (left->how == SplitHow::kList)
    for (const SplitMade& made : left->files) remove_unfinished(partial, made.place);
  // Nothing is believed of it that would touch a file outside this folder and DATA.
  if (left->how == SplitHow::kMove) {
    if (!lies_within(*left, data)) throw in_the_way(fmt::format("what it names was not moved out of {}", data));
  } else if (const std::string why = why_not_removable(partial, *left, SplitState::kUnfinished); !why.empty()) {
    throw in_the_way(why);
  }
  undo(partial, *left, data);
  listener.note(fmt::format("{} of a split that did not end is removed{}", partial.string(),
                            left->how == SplitHow::kMove ? ", what it had moved is back" : ""));
}

bool make_split_folder(const SplitJob& job, Listener& listener) {
  check_split_folder(job.out, job.data, job.overwrite);
  const fs::path out(job.out), partial(job.out + kPartial), parent = out.parent_path();
  make_folders(parent.string(), fmt::format("{} {}: {}", setting("out"), job.out, parent.string()));

  std::vector<SplitMade> made;
  made.reserve(job.files.size());
  for (const SplitFile& file : job.files) made.push_back({.place = file.place, .source = file.source});
  verify_sources(job, parent, made, listener);
  const SplitManifest manifest = {.how = job.how, .files = made};

  // It must be new: what somebody else put there might lead elsewhere.
  if (machine_files().mkdir(partial.c_str(), 0777) != 0)
    throw Error(failure_kind(errno, ErrorKind::kUsage), fmt::format("{} {}: {} cannot be made: {}", setting("out"),
                                                                    job.out, partial.string(), reason_of(errno)));
  const SplitState state = job.how == SplitHow::kMove ? SplitState::kSourcesMoved : SplitState::kWhole;
  bool swapped = false;
  try {
    // The manifest comes first, so that after a kill all that was made is known to be ours.
    replace_text_file((partial / kSplitManifest).string(), manifest_text(job, made));
    const auto total = static_cast<int64_t>(job.files.size());
    Progress progress(listener, {.label = label_of(job.how), .unit = "files", .total = total});
    for (int64_t done = 0; done < total; ++done) {
      const SplitFile& file = job.files[static_cast<size_t>(done)];
      place_file(file, job.how, partial / file.place);
      progress.update(done + 1);
      if (listener.stop()) {
        undo(partial, manifest, job.data);
        return false;
      }
    }
    make_durable(partial);
    // Hours may have passed, and somebody may have put something into the former split.
    check_out(job.out, job.overwrite, state);
    swap_in(partial, out);
    swapped = true;
    sync_folder(parent.string(), job.out, machine_files());
  } catch (...) {
    const std::exception_ptr failure = std::current_exception();
    // Once it has been exchanged, OUT.partial is the former split.
    if (!swapped && has_name(partial)) undo(partial, manifest, job.data);
    std::rethrow_exception(failure);
  }
  if (!has_name(partial)) return true;
  const std::optional<SplitManifest> former = read_manifest(partial);
  const std::string why = former ? why_not_removable(partial, *former, state) : "it has no split.json";
  if (!why.empty() || !remove_split(partial, *former))
    listener.warn(
        fmt::format("{}: of the former split, cannot be removed{}{}", partial.string(), why.empty() ? "" : ": ", why));
  return true;
}

}  // namespace resflow
