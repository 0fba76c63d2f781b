#include "apps/data/split_removal.h"

#include <cerrno>
#include <set>
#include <system_error>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/folder_below.h"
#include "io/files/output_place.h"
#include "io/files/partial_file.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

// Why the file must not be removed, which is because it is no longer what the split made, or because it is the only
// one.
std::string why_kept(const fs::path& folder, const SplitMade& made, SplitHow how, SplitState state) {
  const fs::path path = folder / made.place, place = made.place;
  const FolderBelow above(folder, place.parent_path());
  if (above.descriptor() < 0) return above.error() == std::errc::no_such_file_or_directory ? "" : "lies behind a link";
  const fs::file_type type = above.type_of(place.filename().string());
  std::error_code error;
  if (type == fs::file_type::not_found) return {};
  if (how == SplitHow::kMove) return "was moved here and is the only one";
  if (how == SplitHow::kSymlink)
    return type == fs::file_type::symlink && fs::read_symlink(path, error) == made.source ? ""
                                                                                          : "is no longer the link";
  if (type != fs::file_type::regular) return "is no longer the file";
  const bool moved = state == SplitState::kSourcesMoved;
  if (how == SplitHow::kHardlink)
    return moved || fs::equivalent(path, made.source, error) ? "" : "is the only one: its source is gone or another";
  const auto bytes = static_cast<int64_t>(fs::file_size(path, error));
  const bool begun = state == SplitState::kUnfinished && how == SplitHow::kCopy && bytes < made.bytes;
  if (bytes != made.bytes && !begun) return "was changed";
  return moved || how == SplitHow::kList || fs::exists(made.source, error) ? "" : "is the only one: its source is gone";
}

}  // namespace

std::string why_not_removable(const fs::path& folder, const SplitManifest& manifest, SplitState state) {
  std::set<std::string> made;
  for (const SplitMade& file : manifest.files) {
    made.insert(file.place);
    if (const std::string why = why_kept(folder, file, manifest.how, state); !why.empty())
      return fmt::format("{} {}", printable((folder / file.place).string()), why);
  }
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string place = at->path().lexically_relative(folder).string();
    std::error_code unknown;
    if (fs::is_directory(at->symlink_status(unknown))) continue;
    if (place != kSplitManifest && !made.contains(place))
      return fmt::format("{} was not made by the split", printable(at->path().string()));
  }
  return error ? fmt::format("{} cannot be read: {}", folder.string(), error.message()) : "";
}

bool remove_split(const fs::path& folder, const SplitManifest& manifest) {
  std::set<fs::path> folders;
  for (const SplitMade& made : manifest.files) {
    const fs::path place = made.place;
    FolderBelow(folder, place.parent_path()).remove(place.filename().string());
    for (fs::path above = place.parent_path(); !above.empty(); above = above.parent_path()) folders.insert(above);
  }
  // A folder sorts before what lies in it.
  for (auto at = folders.rbegin(); at != folders.rend(); ++at)
    FolderBelow(folder, at->parent_path()).remove_folder(at->filename().string());
  std::error_code ignored;
  const bool empty_but_for_manifest = std::distance(fs::directory_iterator(folder, ignored), {}) <= 1;
  if (empty_but_for_manifest) FolderBelow(folder, {}).remove(kSplitManifest);
  FolderBelow(folder.parent_path(), {}).remove_folder(folder.filename().string());
  return !fs::exists(fs::symlink_status(folder, ignored));
}

void move_back(const fs::path& folder, const SplitManifest& manifest, const std::string& data) {
  for (const SplitMade& made : manifest.files) {
    const fs::path place = made.place, source = fs::path(made.source).lexically_relative(data);
    const FolderBelow from(folder, place.parent_path());
    if (from.type_of(place.filename().string()) == fs::file_type::not_found) continue;
    const FolderBelow to(data, source.parent_path());
    std::error_code error = to.error();
    if (!error && from.type_of(place.filename().string()) != fs::file_type::regular)
      error = std::make_error_code(std::errc::invalid_argument);
    if (!error) error = rename_to_new(from, place.filename().string(), to, source.filename().string());
    if (error)
      throw system_error("{}: cannot go back to {}: {}; {} lists what has been moved",
                         printable((folder / made.place).string()), printable(made.source), error.message(),
                         (folder / kSplitManifest).string());
  }
}

}  // namespace resflow
