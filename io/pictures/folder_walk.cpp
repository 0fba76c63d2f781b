#include "io/pictures/folder_walk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "io/core/error.h"
#include "io/files/folder_listing.h"
#include "io/files/machine_failure.h"

namespace resflow {
namespace {

// As ::stat; empty where it succeeds, and else why the folder cannot be read. Throws Error{kSystem} where the machine
// fails.
std::string look_at(const std::string& path, struct stat& status) {
  if (persistently(machine_files(), [&] { return ::stat(path.c_str(), &status); }) == 0) return {};
  if (is_machine_failure(errno)) throw system_error("{}: the folder cannot be read: {}", path, reason_of(errno));
  return "the folder cannot be read: " + reason_of(errno);
}

}  // namespace

// A folder that another one lies in, and those above it: what links must not lead back to.
struct FolderWalk::Ancestor {
  dev_t device;
  ino_t file;
  std::shared_ptr<const Ancestor> above;
};

struct FolderWalk::Pending {
  std::string path;
  std::shared_ptr<const Ancestor> above;
};

// A folder and all below it. Pending folders are kept with the least path on top: as a folder's path begins with its
// parent's, the least of them all is the next in the order of whole paths.
class FolderWalk::Level {
 public:
  explicit Level(Pending root) { add(std::move(root)); }

  void add(Pending folder) {
    pending.push_back(std::move(folder));
    std::push_heap(pending.begin(), pending.end(), later);
  }

  Pending take() {
    std::pop_heap(pending.begin(), pending.end(), later);
    Pending folder = std::move(pending.back());
    pending.pop_back();
    return folder;
  }

  std::vector<Pending> pending;  // a heap
  // The folder at hand.
  std::string path;
  std::shared_ptr<const Ancestor> self;
  std::optional<FolderListing> listing;

 private:
  static bool later(const Pending& a, const Pending& b) { return a.path > b.path; }
};

FolderWalk::FolderWalk(std::string folder, size_t max_sorted, const std::string& within, Selection selection)
    : max_sorted_(max_sorted), selection_(std::move(selection)) {
  std::shared_ptr<const Ancestor> above;
  if (!within.empty()) {
    struct stat status {};
    if (const std::string failure = look_at(within, status); !failure.empty())
      throw data_error("{}: {}", within, failure);
    above = std::make_shared<const Ancestor>(Ancestor{status.st_dev, status.st_ino, nullptr});
  }
  levels_.push_back(std::make_unique<Level>(Pending{std::move(folder), std::move(above)}));
}

FolderWalk::~FolderWalk() = default;

// Notes what is passed over.
bool FolderWalk::takes(const std::string& path, bool folder) {
  if (const auto pattern = excluding_pattern(selection_, path, folder)) {
    left_out_.patterns.insert(*pattern);
    return false;
  }
  if (folder || is_picture_name(selection_, path)) return true;
  left_out_.add_file(path);
  return false;
}

bool FolderWalk::next(std::string& path, std::string& failure) {
  failure.clear();
  FolderEntry entry;
  while (!levels_.empty()) {
    Level& level = *levels_.back();
    if (!level.listing) {
      if (level.pending.empty()) {
        levels_.pop_back();
        continue;
      }
      Pending folder = level.take();
      level.path = std::move(folder.path);
      struct stat status {};
      failure = look_at(level.path, status);
      if (!failure.empty()) {
        path = level.path;
        return true;
      }
      bool within_itself = false;
      for (const Ancestor* above = folder.above.get(); above != nullptr; above = above->above.get())
        within_itself = within_itself || (above->device == status.st_dev && above->file == status.st_ino);
      if (within_itself) continue;
      level.self = std::make_shared<const Ancestor>(Ancestor{status.st_dev, status.st_ino, std::move(folder.above)});
      level.listing.emplace(level.path, max_sorted_);
    } else if (level.listing->next(entry)) {
      std::string found = join_path(level.path, entry.name);
      if (!takes(found, entry.folder)) continue;
      if (entry.folder) {
        Pending below = {std::move(found), level.self};
        if (level.listing->sorted())
          level.add(std::move(below));
        else
          levels_.push_back(std::make_unique<Level>(std::move(below)));
      } else {
        path = std::move(found);
        return true;
      }
    } else {
      failure = level.listing->failure();
      level.listing.reset();
      if (failure.empty()) continue;
      path = level.path;
      return true;
    }
  }
  return false;
}

}  // namespace resflow
