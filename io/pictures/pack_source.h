// The pictures of a pack, read from its first to its last in large blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/files/file.h"
#include "io/pack/walker.h"
#include "io/pictures/picture_source.h"

namespace resflow {

// Each picture comes with its bytes, under the name PACK/NAME. A damaged one comes with an error, and the others still
// come. Where the pack was cut off, next() gives the pictures before the cut and then throws Error{kData}. This needs
// no index, and memory for a block of 4 MiB and the largest picture.
class PackSource final : public PictureSource {
 public:
  // Throws Error{kData} where the file is no pack (is_pack in io/pack/head.h) or its header is damaged. next() throws
  // it at the end of a pack without a picture.
  explicit PackSource(const std::string& path, FileSystem& files = machine_files());

  bool next(Picture& picture) override;
  std::optional<int64_t> count() const override { return static_cast<int64_t>(walker_.head().records); }

 private:
  std::string path_;
  PackWalker walker_;
  PackRecord record_;
};

}  // namespace resflow
