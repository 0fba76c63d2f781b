#include "io/pictures/pack_source.h"

#include "io/core/error.h"

namespace resflow {

PackSource::PackSource(const std::string& path, FileSystem& files) : path_(path), walker_(path, files) {}

bool PackSource::next(Picture& picture) {
  if (!walker_.next(record_)) {
    if (walker_.head().records == 0) throw data_error("{}: holds no picture", path_);
    if (walker_.cut_off()) throw data_error("{}: {}", path_, walker_.damage());
    return false;
  }
  picture.name = path_ + "/" + record_.name;
  picture.path.clear();
  picture.bytes.assign(record_.data.begin(), record_.data.end());
  picture.error = record_.error;
  return true;
}

}  // namespace resflow
