// The pictures of a pack, read from its first to its last in large blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/files/file.h"
#include "io/pack/walker.h"
#include "io/pictures/picture_source.h"

namespace resflow {

// Each comes with its bytes, by the name PACK/NAME. One that is damaged comes with an error and costs no other. Of a
// pack that was cut off come those before the cut, then next() throws Error{kData}. Needs no index, and memory for a
// block of 4 MiB and the largest picture.
class PackSource final : public PictureSource {
 public:
  // Throws Error{kData}: no pack (io/pack/head.h says what is), or damaged in its header. So does next() at the end of
  // one without a picture.
  explicit PackSource(const std::string& path, FileSystem& files = machine_files());

  bool next(Picture& picture) override;
  std::optional<int64_t> count() const override { return static_cast<int64_t>(walker_.head().records); }

 private:
  std::string path_;
  PackWalker walker_;
  PackRecord record_;
};

}  // namespace resflow
