// The pictures in an archive (tar, plain or compressed; zip), read as a stream from its first byte to its last: nothing
// is unpacked, nothing is sought, and one member at a time is in memory. By libarchive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/images/decode.h"
#include "io/pictures/picture_source.h"

namespace resflow {

// The largest file that any picture we read may be: uncompressed, of as many pixels as we read, with room for a header.
inline constexpr int64_t kMaxMember = 3 * kMaxPixels + (int64_t{1} << 20);

// Members that image_extensions() names, as WebDataset has them beside others, in the archive's order, each with its
// bytes, called ARCHIVE/MEMBER. A member that cannot be had (damaged, encrypted, larger than `max_member`, a link,
// which a stream cannot follow) is a picture with an error.
//
// Throws Error{kData}, after the whole members before it: no archive; one that ends early, a missing end mark included;
// one with damage that nothing can be read beyond; at its end, that there was no picture. Of a compressed archive that
// ends early, the last 128 KiB before its end are not unpacked, and members in them not given.
class ArchiveSource : public PictureSource {
 public:
  // Opens it, which waits for a writer where it is a pipe. Throws Error{kData} where it cannot be opened.
  explicit ArchiveSource(std::string path, int64_t max_member = kMaxMember);
  ~ArchiveSource() override;

  bool next(Picture& picture) override;

 private:
  struct Reader;
  bool next_picture(Picture& picture);
  void read_member(Picture& picture, std::optional<int64_t> size);
  [[noreturn]] void fail() const;

  std::string path_;
  int64_t max_member_;
  std::unique_ptr<Reader> reader_;
  int64_t given_ = 0;
  bool ended_ = false;
};

// A name that ends as archives' do: .tar .tar.gz .tgz .tar.zst .tzst .tar.xz .txz .tar.bz2 .tbz2 .zip, case ignored.
bool has_archive_extension(const std::string& path);

// Whether a file that begins with these bytes may be an archive: a tar, a zip, or something compressed as tars are.
// 512 bytes are enough.
bool begins_as_archive(std::span<const uint8_t> bytes);

}  // namespace resflow
