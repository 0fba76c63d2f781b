// The pictures in an archive (tar, plain or compressed; zip), read as a stream from its first byte to its last: nothing
// is unpacked, nothing is sought, and one member at a time is in memory. By libarchive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/images/decode.h"
#include "io/pictures/picture_source.h"

namespace resflow {

// The largest file that any picture we read may be: uncompressed, of as many pixels as we read, with room for a header.
inline constexpr int64_t kMaxMember = 3 * kMaxPixels + (int64_t{1} << 20);

// Gives the members that a Selection takes (WebDataset has others beside the pictures), in the archive's order, each
// with its bytes, under the name ARCHIVE/MEMBER. A member is a picture with an error where it is damaged, encrypted,
// larger than `max_member`, or a link, which a stream cannot follow.
//
// Throws Error{kData} for what is no archive, for an archive that ends early (a missing end mark included) or is
// damaged so that nothing behind the damage can be read, and at the end of one without a picture. The whole members
// before the damage come first. Where a compressed archive ends early, the last 128 KiB before its end are not
// unpacked, and the members in them are not given.
class ArchiveSource : public PictureSource {
 public:
  // Opens the archive. Throws Error{kData} where it cannot be opened. Where it is a pipe, next() waits for a program
  // that writes to it. `stop` is asked before each reading, while there is nothing to read, and while what is no
  // picture is passed over: true ends the archive as if nothing came any more.
  explicit ArchiveSource(std::string path, int64_t max_member = kMaxMember, std::function<bool()> stop = {},
                         Selection selection = {});
  ~ArchiveSource() override;

  bool next(Picture& picture) override;
  PassedOver left_out() const override { return left_out_; }

 private:
  struct Reader;
  bool next_picture(Picture& picture);
  void read_member(Picture& picture, std::optional<int64_t> size);
  bool takes(const std::string& name);
  bool pass_over_data();
  [[noreturn]] void fail() const;

  std::string path_;
  int64_t max_member_;
  Selection selection_;
  PassedOver left_out_;
  std::unique_ptr<Reader> reader_;
  int64_t given_ = 0;
  bool ended_ = false;
};

// True where the name ends as an archive's does: .tar .tar.gz .tgz .tar.zst .tzst .tar.xz .txz .tar.bz2 .tbz2 .zip,
// case ignored.
bool has_archive_extension(const std::string& path);

// Whether a file that begins with these bytes may be an archive: a tar, a zip, or something compressed as tars are.
// 512 bytes are enough.
bool begins_as_archive(std::span<const uint8_t> bytes);

}  // namespace resflow
