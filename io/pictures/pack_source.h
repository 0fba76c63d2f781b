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
  explicit PackSource(const std::string& path, FileSystem& files = machine_files(), Selection selection = {});

  bool next(Picture& picture) override;
  PassedOver left_out() const override { return left_out_; }
  // Not known where some may be left out, and where the header says more pictures than there are bytes: the pictures
  // that are there come all the same.
  std::optional<int64_t> count() const override {
    const PackHead& head = walker_.head();
    if (!selection_.exclude.empty()) return std::nullopt;
    if (head.records > head.file_bytes || head.records > uint64_t{1} << 62U) return std::nullopt;
    return static_cast<int64_t>(head.records);
  }

 private:
  std::string path_;
  Selection selection_;
  PassedOver left_out_;
  PackWalker walker_;
  PackRecord record_;
};

}  // namespace resflow
