#include "io/pictures/pack_source.h"

#include <utility>

#include "io/core/error.h"

namespace resflow {

PackSource::PackSource(const std::string& path, FileSystem& files, Selection selection)
    : path_(path), selection_(std::move(selection)), walker_(path, files) {}

bool PackSource::next(Picture& picture) {
  for (;;) {
    if (!walker_.next(record_)) {
      if (walker_.head().records == 0) throw data_error("{}: holds no picture", path_);
      if (walker_.cut_off()) throw data_error("{}: {}", path_, walker_.damage());
      return false;
    }
    const auto pattern = excluding_pattern_within(selection_, path_, record_.name);
    if (!pattern) break;
    left_out_.patterns.insert(*pattern);
  }
  picture.name = path_ + "/" + record_.name;
  picture.path.clear();
  picture.bytes.assign(record_.data.begin(), record_.data.end());
  picture.error = record_.error;
  return true;
}

}  // namespace resflow
