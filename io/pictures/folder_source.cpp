#include "io/pictures/folder_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "io/core/error.h"
#include "io/images/image_format.h"

namespace resflow {

// A folder that another one lies in, and those above it: what links must not lead back to.
struct FolderSource::Ancestor {
  dev_t device;
  ino_t file;
  std::shared_ptr<const Ancestor> above;
};

struct FolderSource::Pending {
  std::string path;
  std::shared_ptr<const Ancestor> above;  // null of the root
};

// A folder and all below it. Pending folders are kept with the least path on top: as a folder's path begins with its
// parent's, the least of them all is the next in the order of whole paths.
class FolderSource::Walk {
 public:
  explicit Walk(Pending root) { add(std::move(root)); }

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

namespace {

void set_error(Picture& picture, const std::string& path, std::string error) {
  picture.name = picture.path = path;
  picture.bytes.clear();
  picture.error = std::move(error);
}

}  // namespace

FolderSource::FolderSource(std::string path, size_t max_sorted) : path_(std::move(path)), max_sorted_(max_sorted) {}
FolderSource::~FolderSource() = default;

bool FolderSource::next(Picture& picture) {
  if (!begun_) walks_.push_back(std::make_unique<Walk>(Pending{path_, nullptr}));
  begun_ = true;
  FolderEntry entry;
  while (!walks_.empty()) {
    Walk& walk = *walks_.back();
    std::string failure;
    if (!walk.listing) {
      if (walk.pending.empty()) {
        walks_.pop_back();
        continue;
      }
      Pending folder = walk.take();
      walk.path = std::move(folder.path);
      struct stat status {};
      if (::stat(walk.path.c_str(), &status) == 0) {
        bool within_itself = false;
        for (const Ancestor* above = folder.above.get(); above != nullptr; above = above->above.get())
          within_itself = within_itself || (above->device == status.st_dev && above->file == status.st_ino);
        if (within_itself) continue;
        walk.self = std::make_shared<const Ancestor>(Ancestor{status.st_dev, status.st_ino, std::move(folder.above)});
        walk.listing.emplace(walk.path, max_sorted_);
        continue;
      }
      failure = "the folder cannot be read: " + reason_of(errno);
      if (folder.above == nullptr) throw data_error("{}: {}", walk.path, failure);
    } else if (walk.listing->next(entry)) {
      std::string path = join_path(walk.path, entry.name);
      if (!entry.folder) {
        if (!has_image_extension(entry.name)) continue;
        found_ = true;
        set_error(picture, path, {});
        return true;
      }
      if (walk.listing->sorted())
        walk.add({std::move(path), walk.self});
      else
        walks_.push_back(std::make_unique<Walk>(Pending{std::move(path), walk.self}));
      continue;
    } else {
      failure = walk.listing->failure();
      walk.listing.reset();
      if (failure.empty()) continue;
      if (walk.self->above == nullptr) throw data_error("{}: {}", walk.path, failure);
    }
    found_ = true;
    set_error(picture, walk.path, std::move(failure));
    return true;
  }
  if (!found_) throw data_error("{}: holds no picture; wanted files that end in {}", path_, image_extensions());
  return false;
}

}  // namespace resflow
