#include "io/pictures/folder_source.h"

#include "io/core/error.h"
#include "io/images/image_format.h"

namespace resflow {

FolderSource::FolderSource(std::string path, size_t max_sorted, const Selection& selection)
    : path_(std::move(path)), walk_(path_, max_sorted, {}, selection) {}

bool FolderSource::next(Picture& picture) {
  std::string failure;
  if (!walk_.next(picture.path, failure)) {
    if (!found_) {
      const std::string others = left_out_sentence(walk_.left_out());
      throw data_error("{}: holds no picture; wanted files that end in {}{}{}{}", path_, image_extensions(),
                       others.empty() ? "" : "; ", others,
                       walk_.left_out().patterns.empty() ? "" : "; " + setting("exclude") + " leaves out others");
    }
    return false;
  }
  if (!failure.empty() && picture.path == path_) throw data_error("{}: {}", path_, failure);
  found_ = true;
  picture.name = picture.path;
  picture.bytes.clear();
  picture.unread = !failure.empty();
  picture.error = std::move(failure);
  return true;
}

}  // namespace resflow
