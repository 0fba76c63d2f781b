#include "apps/data/split_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kManifest = "split.json";
constexpr const char* kMadeBy = "resflow split";
constexpr const char* kPartial = ".partial";

constexpr std::pair<SplitHow, const char*> kNames[] = {{SplitHow::kList, "list"},
                                                       {SplitHow::kSymlink, "symlink"},
                                                       {SplitHow::kHardlink, "hardlink"},
                                                       {SplitHow::kCopy, "copy"},
                                                       {SplitHow::kMove, "move"}};

// File names are bytes, JSON is UTF-8: a name that is none is {"hex": "..."}.
Json name_json(const std::string& name) {
  if (is_utf8(name)) return name;
  std::string hex;
  for (const char c : name) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return {{"hex", hex}};
}

std::string json_name(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  const auto hex = json.at("hex").get<std::string>();
  std::string name;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) name += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return name;
}

// A file that a split made.
struct Made {
  std::string place, source;
  int64_t bytes = -1;  // of copies and lists
};

struct Manifest {
  SplitHow how = SplitHow::kSymlink;
  std::vector<Made> files;
};

std::string manifest_text(const SplitJob& job, const std::vector<Made>& files) {
  Json json;
  json["made_by"] = kMadeBy;
  json["version"] = 1;
  json["data"] = name_json(job.data);
  json["how"] = split_how_name(job.how);
  json["val"] = job.plan.val;
  json["test"] = job.plan.test;
  json["stratify"] = job.plan.stratify;
  json["group_duplicates"] = job.group_duplicates;
  json["seed"] = job.plan.seed;
  json["files"] = Json::array();
  for (const Made& made : files) {
    Json file;
    file["place"] = name_json(made.place);
    if (!made.source.empty()) file["source"] = name_json(made.source);
    if (made.bytes >= 0) file["bytes"] = made.bytes;
    json["files"].push_back(file);
  }
  return json.dump(1) + "\n";
}

// Below the folder and nowhere else, whoever wrote the manifest.
bool is_safe(const std::string& place) {
  const fs::path path(place);
  return !place.empty() && path.is_relative() && std::none_of(path.begin(), path.end(), [](const fs::path& step) {
    return step == ".." || step == "." || step.empty();
  });
}

// Nothing where the folder was made by no split.
std::optional<Manifest> read_manifest(const fs::path& folder) {
  try {
    std::vector<uint8_t> buffer;
    const auto bytes = read_file((folder / kManifest).string(), buffer);
    const Json json = Json::parse(bytes.begin(), bytes.end());
    if (json.at("made_by") != kMadeBy || json.at("version") != 1) return std::nullopt;
    Manifest manifest = {.how = split_how(json.at("how").get<std::string>()), .files = {}};
    for (const Json& file : json.at("files")) {
      Made made = {.place = json_name(file.at("place")), .source = {}};
      if (!is_safe(made.place)) return std::nullopt;
      if (file.contains("source")) made.source = json_name(file.at("source"));
      made.bytes = file.value("bytes", int64_t{-1});
      manifest.files.push_back(std::move(made));
    }
    return manifest;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const std::logic_error&) {  // hexadecimal digits that are none
    return std::nullopt;
  }
}

bool is_there(const fs::path& path) {  // a link that leads nowhere does
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

// Why this is not, or no longer, what the split made; empty where it may go.
std::string why_kept(const fs::path& folder, const Made& made, SplitHow how) {
  const fs::path path = folder / made.place;
  std::error_code error;
  if (!is_there(path)) return {};
  if (how == SplitHow::kMove) return "was moved here and is the only one";
  if (how == SplitHow::kSymlink)
    return fs::is_symlink(path, error) && fs::read_symlink(path, error) == made.source ? "" : "is no longer the link";
  if (!fs::is_regular_file(fs::symlink_status(path, error))) return "is no longer the file";
  if (how == SplitHow::kHardlink)
    return fs::equivalent(path, made.source, error) ? "" : "is the only one: its source is gone or another";
  if (static_cast<int64_t>(fs::file_size(path, error)) != made.bytes) return "was changed";
  return how == SplitHow::kList || fs::exists(made.source, error) ? "" : "is the only one: its source is gone";
}

// Throws where removing the split in `folder` would lose anything.
void check_removable(const fs::path& folder, const Manifest& manifest) {
  std::set<std::string> made;
  for (const Made& file : manifest.files) {
    made.insert(file.place);
    if (const std::string why = why_kept(folder, file, manifest.how); !why.empty())
      throw usage_error("{}: {} {}, so the split in {} is not replaced; give another {}", setting("overwrite"),
                        printable((folder / file.place).string()), why, folder.string(), setting("out"));
  }
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string place = at->path().lexically_relative(folder).string();
    if (at->is_directory() && !at->is_symlink()) continue;
    if (place != kManifest && !made.contains(place))
      throw usage_error("{}: {} was not made by the split in {}, which is therefore not replaced", setting("overwrite"),
                        printable(at->path().string()), folder.string());
  }
  if (error) throw usage_error("{}: cannot be read: {}", folder.string(), error.message());
}

[[noreturn]] void fail(const fs::path& path, const std::string& doing, const std::error_code& error) {
  throw system_error("{}: cannot be {}: {}", printable(path.string()), doing, error.message());
}

// Takes away what the manifest names and the folders that are empty then. What is left stops nothing but keeps
// its folders. Returns whether the folder is gone.
bool remove_split(const fs::path& folder, const Manifest& manifest) {
  std::error_code ignored;
  std::set<fs::path> folders;
  for (const Made& made : manifest.files) {
    fs::remove(folder / made.place, ignored);
    // A list whose writing was killed (io/files/file.h).
    if (manifest.how == SplitHow::kList) fs::remove(folder / (made.place + kPartial), ignored);
    for (fs::path above = fs::path(made.place).parent_path(); !above.empty(); above = above.parent_path())
      folders.insert(above);
  }
  // A folder sorts before what lies in it.
  for (auto at = folders.rbegin(); at != folders.rend(); ++at) fs::remove(folder / *at, ignored);
  const bool empty_but_for_manifest = std::distance(fs::directory_iterator(folder, ignored), {}) <= 1;
  if (empty_but_for_manifest) fs::remove(folder / kManifest, ignored);
  fs::remove(folder, ignored);
  return !is_there(folder);
}

// Moved files go back to where they were; then what is left of the split goes. Throws where one cannot go back.
void undo(const fs::path& folder, const Manifest& manifest) {
  if (manifest.how == SplitHow::kMove) {
    for (const Made& made : manifest.files) {
      const fs::path path = folder / made.place;
      if (!is_there(path)) continue;
      std::error_code error;
      if (is_there(made.source)) error = std::make_error_code(std::errc::file_exists);
      if (!error) fs::rename(path, made.source, error);
      if (error)
        throw system_error("{}: cannot go back to {}: {}; {} lists what has been moved", printable(path.string()),
                           printable(made.source), error.message(), (folder / kManifest).string());
    }
  }
  if (!remove_split(folder, manifest))
    throw usage_error("{}: is in the way, and holds files that no split made: move them away", folder.string());
}

dev_t device_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw data_error("{}: {}", printable(path.string()), reason_of(errno));
  return status.st_dev;
}

// Before anything is made: that it can be done at all.
void verify_sources(const SplitJob& job, const fs::path& parent, std::vector<Made>& made) {
  const bool same_device = job.how == SplitHow::kHardlink || job.how == SplitHow::kMove;
  const dev_t device = same_device ? device_of(parent) : 0;
  int64_t bytes = 0;
  for (size_t i = 0; i < job.files.size(); ++i) {
    const SplitFile& file = job.files[i];
    if (same_device && device_of(file.source) != device)
      throw usage_error("{} {}: {} is on another file system than {}; {} copy or symlink", setting("how"),
                        split_how_name(job.how), printable(file.source), parent.string(), setting("how"));
    std::error_code error;
    if (job.how == SplitHow::kMove && fs::canonical(file.source, error) != file.source)
      throw usage_error("{} move: {} is a link, or lies behind one; {} copy or symlink", setting("how"),
                        printable(file.source), setting("how"));
    if (job.how == SplitHow::kCopy) {
      const auto size = static_cast<int64_t>(fs::file_size(file.source, error));
      if (error) throw data_error("{}: {}", printable(file.source), error.message());
      made[i].bytes = size;
      bytes += size;
    }
    if (job.how == SplitHow::kList) made[i].bytes = static_cast<int64_t>(file.text.size());
  }
  if (const int64_t free = machine_files().free_bytes(parent.c_str()); free >= 0 && bytes > free)
    throw system_error("{}: {} to copy, and {} free", parent.string(), format_bytes(static_cast<double>(bytes)),
                       format_bytes(static_cast<double>(free)));
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
      // Of the file, not of a link to it: that could lead elsewhere from here.
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

// `partial` becomes `out`; what `out` was is `partial` after, if there was anything.
void swap_in(const fs::path& partial, const fs::path& out) {
  std::error_code error;
  const bool replaces = is_there(out) && !fs::is_empty(out, error);
  if (!replaces) {
    fs::rename(partial, out, error);
    if (error) fail(out, "made", error);
    return;
  }
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, out.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) fail(out, "replaced", std::error_code(errno, std::generic_category()));
  // A file system without exchange.
  const fs::path old = out.string() + ".old";
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

  std::error_code error;
  if (!is_there(out)) return;
  if (!fs::is_directory(out, error)) throw usage_error("{} {}: is a file, wanted a new folder", setting("out"), out);
  if (fs::is_empty(out, error)) return;
  if (error) throw usage_error("{} {}: cannot be read: {}", setting("out"), out, error.message());
  const std::optional<Manifest> former = read_manifest(out);
  if (!former) throw usage_error("{} {}: holds files that no split made; give a new folder", setting("out"), out);
  if (!overwrite) throw usage_error("{} {}: holds a split; {} replaces it", setting("out"), out, setting("overwrite"));
  check_removable(out, *former);
}

void recover_split_folder(const std::string& out, Listener& listener) {
  const fs::path partial(out + kPartial);
  if (!is_there(partial)) return;
  std::error_code error;
  if (!is_there(partial / kManifest)) fs::remove(partial / (std::string(kManifest) + kPartial), error);
  if (fs::is_directory(partial, error) && fs::is_empty(partial, error)) {
    fs::remove(partial, error);
    return;
  }
  const std::optional<Manifest> left = read_manifest(partial);
  if (!left) throw usage_error("{}: is in the way: move it away", partial.string());
  undo(partial, *left);
  listener.note(fmt::format("{} of a split that did not end is removed{}", partial.string(),
                            left->how == SplitHow::kMove ? ", what it had moved is back" : ""));
}

bool make_split_folder(const SplitJob& job, Listener& listener) {
  check_split_folder(job.out, job.data, job.overwrite);
  const fs::path out(job.out), partial(job.out + kPartial), parent = out.parent_path();
  std::error_code error;
  fs::create_directories(parent, error);
  if (error)
    throw usage_error("{} {}: {} cannot be made: {}", setting("out"), job.out, parent.string(), error.message());

  std::vector<Made> made;
  made.reserve(job.files.size());
  for (const SplitFile& file : job.files) made.push_back({.place = file.place, .source = file.source});
  verify_sources(job, parent, made);
  const Manifest manifest = {.how = job.how, .files = made};

  fs::create_directory(partial, error);
  if (error) throw usage_error("{} {}: cannot be made: {}", setting("out"), job.out, error.message());
  try {
    // First, so that whatever happens what is made next is known to be ours.
    replace_text_file((partial / kManifest).string(), manifest_text(job, made));
    const auto total = static_cast<int64_t>(job.files.size());
    Progress progress(listener, {.label = label_of(job.how), .unit = "files", .total = total});
    for (int64_t done = 0; done < total; ++done) {
      const SplitFile& file = job.files[static_cast<size_t>(done)];
      place_file(file, job.how, partial / file.place);
      progress.update(done + 1);
      if (listener.stop()) {
        undo(partial, manifest);
        return false;
      }
    }
    swap_in(partial, out);
  } catch (...) {
    const std::exception_ptr failure = std::current_exception();
    if (is_there(partial)) undo(partial, manifest);
    std::rethrow_exception(failure);
  }
  if (!is_there(partial)) return true;
  const std::optional<Manifest> former = read_manifest(partial);
  if (!former || !remove_split(partial, *former))
    listener.warn(fmt::format("{}: of the former split, cannot be removed", partial.string()));
  return true;
}

}  // namespace resflow
