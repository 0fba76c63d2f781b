#include "io/pictures/archive_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>  // NOLINT(modernize-deprecated-headers): of POSIX

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/machine_failure.h"
#include "io/images/image_format.h"
#include "io/pictures/picture_file.h"
#include "io/pictures/streamed_file.h"

namespace resflow {
namespace {

constexpr size_t kBlock = 262'144;  // of the file, at once
constexpr size_t kFirstRead =
    1'048'576;  // of a member: what a header says of its size is not believed before it is there

constexpr std::array<std::string_view, 11> kArchiveExtensions = {
    ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz", ".zip"};

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view() : std::string_view(text); }

// libarchive brings names that an archive has in UTF-8 into the thread's character set, and has none where that is not
// possible, as in the plain C locale that a program has unless it asks for another one.
class Utf8Thread {
 public:
  Utf8Thread() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 != nullptr) before_ = ::uselocale(utf8);
  }
  ~Utf8Thread() {
    if (before_ != nullptr) ::uselocale(before_);
  }
  Utf8Thread(const Utf8Thread&) = delete;
  Utf8Thread& operator=(const Utf8Thread&) = delete;

 private:
  locale_t before_ = nullptr;
};

// Why a member that begins with these bytes is no picture; "" where it may be one.
std::string fault_of_beginning(std::span<const uint8_t> bytes, const std::string& name) {
  try {
    check_beginning(bytes, name, kMaxPixels);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

// As bytes where it can be had so: names need not be UTF-8.
std::string member_name(archive_entry* entry) {
  std::string_view name = text_of(archive_entry_pathname(entry));
  if (name.empty()) name = text_of(archive_entry_pathname_utf8(entry));
  while (name.starts_with("./")) name.remove_prefix(2);
  return std::string(name);
}

}  // namespace

struct ArchiveSource::Reader {
  Reader(const std::string& path, std::function<bool()> stop)
      : file(path, std::move(stop)), archive(archive_read_new()) {
    // No others: some would start programs.
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip_streamable(archive);
  }
  ~Reader() { archive_read_free(archive); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool is_tar() const { return (archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR; }

  // What libarchive calls. One that is told to stop says that it failed, which stopped() tells from a damaged file.
  static la_ssize_t read(struct archive* archive, void* reader, const void** bytes) {
    auto& self = *static_cast<Reader*>(reader);
    const std::optional<size_t> count = self.file.read(self.block);
    if (self.file.stopped()) return ARCHIVE_FATAL;
    if (!count) {
      archive_set_error(archive, self.file.error(), "%s", reason_of(self.file.error()).c_str());
      return ARCHIVE_FATAL;
    }
    *bytes = self.block.data();
    return static_cast<la_ssize_t>(*count);
  }
  static la_int64_t skip(struct archive* /*archive*/, void* reader, la_int64_t bytes) {
    return static_cast<Reader*>(reader)->file.skip(bytes);
  }

  StreamedFile file;
  std::vector<std::byte> block = std::vector<std::byte>(kBlock);
  struct archive* archive;
  bool opened = false;
};

ArchiveSource::ArchiveSource(std::string path, int64_t max_member, std::function<bool()> stop, Selection selection)
    : path_(std::move(path)),
      max_member_(max_member),
      selection_(std::move(selection)),
      reader_(std::make_unique<Reader>(path_, std::move(stop))) {
  if (const int error = reader_->file.error(); error != 0) {
    const std::string reason = reason_of(error);
    if (is_machine_failure(error)) throw system_error("{}: cannot be opened: {}", path_, reason);
    throw data_error("{}: cannot be opened: {}", path_, reason);
  }
}

ArchiveSource::~ArchiveSource() = default;

void ArchiveSource::fail() const {
  const std::string reason = printable(text_of(archive_error_string(reader_->archive)));
  if (is_machine_failure(archive_errno(reader_->archive))) throw system_error("{}: {}", path_, reason);
  // Of xz the library says no more than that.
  const bool early =
      reason.find("runcated") != std::string::npos || reason.find("No progress is possible") != std::string::npos;
  if (!early && !reader_->opened)
    throw data_error("{}: is no archive that resflow reads (tar, also with gzip, zstd, xz or bzip2; zip): {}", path_,
                     reason);
  throw data_error("{}: the archive {} after {} {} ({})", path_, early ? "ends early," : "cannot be read on", given_,
                   given_ == 1 ? "picture" : "pictures", reason);
}

bool ArchiveSource::next(Picture& picture) {
  if (ended_) return false;
  // After an Error there is nothing more to be had of it.
  ended_ = true;
  try {
    if (!next_picture(picture)) return false;
  } catch (const Error&) {
    // Whatever is missing has not been waited for.
    if (reader_->file.stopped()) return false;
    throw;
  }
  if (reader_->file.stopped()) return false;
  ended_ = false;
  ++given_;
  return true;
}

bool ArchiveSource::next_picture(Picture& picture) {
  const Utf8Thread utf8;
  struct archive* const archive = reader_->archive;
  if (!reader_->opened) {
    if (archive_read_open2(archive, reader_.get(), nullptr, Reader::read, Reader::skip, nullptr) != ARCHIVE_OK) fail();
    reader_->opened = true;
  }
  for (;;) {
    // So that what next_header consumes at the end is the mark of the end, if there is one.
    if (archive_file_count(archive) > 0 && !pass_over_data()) return false;
    const int64_t before = archive_filter_bytes(archive, 0);
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive, &entry);
    if (status == ARCHIVE_EOF) {
      if (reader_->is_tar() && archive_filter_bytes(archive, 0) == before)
        throw data_error("{}: the archive ends early, after {} {}: it has no end mark", path_, given_,
                         given_ == 1 ? "picture" : "pictures");
      if (given_ == 0)
        throw data_error("{}: the archive holds no picture{}; wanted members that end in {}", path_,
                         left_out_.patterns.empty() ? "" : " that " + setting("exclude") + " leaves in",
                         image_extensions());
      return false;
    }
    if (status < ARCHIVE_WARN) fail();

    const std::string name = member_name(entry);
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFDIR || (!name.empty() && !takes(name))) continue;
    picture.name = path_ + '/' + name;
    picture.path.clear();
    picture.error.clear();
    if (name.empty()) {
      picture.name += fmt::format("member {}", archive_file_count(archive));
      picture.error = "its name in the archive cannot be read";
    } else if (type == AE_IFLNK || archive_entry_hardlink(entry) != nullptr) {
      const bool hard = type != AE_IFLNK;
      picture.error =
          fmt::format("is a link to {}, which is not followed in an archive",
                      printable(text_of(hard ? archive_entry_hardlink(entry) : archive_entry_symlink(entry))));
    } else if (type != 0 && type != AE_IFREG) {
      picture.error = "is a device or a pipe, wanted a file";
    } else {
      std::optional<int64_t> size;
      if (archive_entry_size_is_set(entry) != 0) size = std::max<int64_t>(archive_entry_size(entry), 0);
      if (size.value_or(0) > max_member_)
        picture.error = fmt::format("has {} bytes, wanted at most {}", *size, max_member_);
      else
        read_member(picture, size);
    }
    return true;
  }
}

// Notes what is passed over.
bool ArchiveSource::takes(const std::string& name) {
  if (const auto pattern = excluding_pattern_within(selection_, path_, name)) {
    left_out_.patterns.insert(*pattern);
    return false;
  }
  if (is_picture_name(selection_, name)) return true;
  left_out_.add_file(path_ + '/' + name);
  return false;
}

// What is left of the member at hand. False where it is to stop. Of a compressed archive a reading may be unpacked to
// thousands of times as much, so it is asked in between, too.
bool ArchiveSource::pass_over_data() {
  struct archive* const archive = reader_->archive;
  if (archive_filter_count(archive) > 1) {
    const void* bytes = nullptr;
    size_t count = 0;
    la_int64_t place = 0;
    while (archive_read_data_block(archive, &bytes, &count, &place) == ARCHIVE_OK)
      if (reader_->file.ask_to_stop()) return false;
  }
  if (archive_read_data_skip(archive) < ARCHIVE_WARN) fail();
  return true;
}

// `size` is what the header says, if anything: to be believed as far as the bytes are there.
void ArchiveSource::read_member(Picture& picture, std::optional<int64_t> size) {
  std::vector<uint8_t>& bytes = picture.bytes;
  const auto most = static_cast<size_t>(max_member_);
  size_t count = 0;
  bool looked = false;
  // One more byte, so that the end is seen without growing.
  bytes.resize(std::min(static_cast<size_t>(size.value_or(kFirstRead)), kFirstRead) + 1);
  for (;;) {
    if (count == bytes.size()) bytes.resize(std::min(2 * count, most) + 1);
    const la_ssize_t read = archive_read_data(reader_->archive, bytes.data() + count, bytes.size() - count);
    if (read == 0) break;
    if (read == ARCHIVE_FATAL) fail();
    if (read < 0) {
      picture.error = printable(text_of(archive_error_string(reader_->archive)));
      if (picture.error.empty()) picture.error = "cannot be read from the archive";
      break;
    }
    count += static_cast<size_t>(read);
    if (count > most) {
      picture.error = fmt::format("has more than {} bytes", max_member_);
      break;
    }
    // A few kilobytes can be compressed hundreds of megabytes: no more of them is unpacked than a picture has.
    if (looked || count < static_cast<size_t>(kLookFirstBytes)) continue;
    looked = true;
    picture.error = fault_of_beginning({bytes.data(), count}, picture.name);
    if (!picture.error.empty()) break;
  }
  bytes.resize(picture.error.empty() ? count : 0);
}

bool has_archive_extension(const std::string& path) {
  std::string lower = path;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::any_of(kArchiveExtensions.begin(), kArchiveExtensions.end(),
                     [&](std::string_view extension) { return lower.ends_with(extension); });
}

bool begins_as_archive(std::span<const uint8_t> bytes) {
  const std::string_view text = text_of(bytes);
  if (text.size() > 262 && text.substr(257, 5) == "ustar") return true;
  using namespace std::string_view_literals;
  constexpr std::array<std::string_view, 5> kBegins = {"PK\x03\x04"sv, "\x1F\x8B"sv, "\x28\xB5\x2F\xFD"sv,
                                                       "\xFD"
                                                       "7zXZ"sv,
                                                       "BZh"sv};
  return std::any_of(kBegins.begin(), kBegins.end(), [&](std::string_view begin) { return text.starts_with(begin); });
}

}  // namespace resflow
