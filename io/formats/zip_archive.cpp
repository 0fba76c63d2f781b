#include "io/formats/zip_archive.h"

#include <libdeflate.h>
#include <minizip/unzip.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "io/core/error.h"
#include "io/core/text.h"

namespace resflow {
namespace {

constexpr uint64_t kLocalHeaderBytes = 30;
constexpr int64_t kEndBytes = 22;
// Deflate cannot pack more tightly.
constexpr uint64_t kMaxDeflateRatio = 1032;

// A file as minizip reads it: byte by byte, so behind a small window.
class Window {
 public:
  explicit Window(const std::string& path) : file(path) {}

  uint64_t read(std::span<uint8_t> to) {
    const auto size = static_cast<uint64_t>(file.size());
    uint64_t done = 0;
    while (done < to.size() && at < size) {
      if (at < begin_ || at >= begin_ + filled_) fill(size);
      const uint64_t n = std::min<uint64_t>(to.size() - done, begin_ + filled_ - at);
      std::memcpy(to.data() + done, bytes_.data() + (at - begin_), n);
      done += n;
      at += n;
    }
    return done;
  }

  InputFile file;
  uint64_t at = 0;

 private:
  void fill(uint64_t size) {
    filled_ = 0;
    const uint64_t n = std::min<uint64_t>(bytes_.size(), size - at);
    file.read(static_cast<int64_t>(at), std::span(bytes_).first(n));
    begin_ = at;
    filled_ = n;
  }

  std::array<uint8_t, 4096> bytes_{};
  uint64_t begin_ = 0, filled_ = 0;
};

uint64_t little_endian(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

// The 64-bit fields that the directory has for a stored entry whose sizes do not fit 32 bits. minizip 1.1 overlooks
// them, because it compares 32 bits with the largest unsigned long.
struct Zip64 {
  std::optional<uint64_t> bytes, header;
};

Zip64 zip64_of(std::span<const uint8_t> extra) {
  constexpr uint64_t kZip64 = 1, kRecordStart = 4;
  while (extra.size() >= kRecordStart) {
    const uint64_t id = little_endian(extra.first(2)), size = little_endian(extra.subspan(2, 2));
    extra = extra.subspan(kRecordStart);
    if (size > extra.size()) break;
    if (id == kZip64) {
      // Two equal sizes, the place of the header, or all three.
      Zip64 found;
      if (size >= 16) found.bytes = little_endian(extra.first(8));
      if (size == 8 || size >= 24) found.header = little_endian(extra.subspan(size == 8 ? 0 : 16, 8));
      return found;
    }
    extra = extra.subspan(size);
  }
  return {};
}

bool has_parent_part(std::string_view name) {
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find_first_of("/\\", begin), name.size());
    if (name.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

bool is_absolute(std::string_view name) {
  return name.starts_with('/') || name.starts_with('\\') || (name.size() > 1 && name[1] == ':');
}

}  // namespace

// minizip's handle and the file behind it. No exception may cross minizip, so the first is kept.
struct ZipArchive::Reader {
  Window window;
  unzFile zip = nullptr;
  std::exception_ptr failure;

  explicit Reader(const std::string& path) : window(path) {
    zlib_filefunc64_def calls{};
    calls.zopen64_file = open;
    calls.zread_file = read;
    calls.ztell64_file = tell;
    calls.zseek64_file = seek;
    calls.zclose_file = close;
    calls.zerror_file = error;
    calls.opaque = this;
    zip = unzOpen2_64(path.c_str(), &calls);
  }
  ~Reader() {
    if (zip != nullptr) unzClose(zip);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void rethrow() const {
    if (failure) std::rethrow_exception(failure);
  }

  static Reader& self(voidpf opaque) { return *static_cast<Reader*>(opaque); }
  static voidpf open(voidpf opaque, const void*, int) { return opaque; }
  static uLong read(voidpf opaque, voidpf, void* to, uLong count) {
    try {
      return self(opaque).window.read({static_cast<uint8_t*>(to), count});
    } catch (...) {
      if (!self(opaque).failure) self(opaque).failure = std::current_exception();
      return 0;
    }
  }
  static ZPOS64_T tell(voidpf opaque, voidpf) { return self(opaque).window.at; }
  static long seek(voidpf opaque, voidpf, ZPOS64_T offset, int origin) {
    Window& window = self(opaque).window;
    if (origin == ZLIB_FILEFUNC_SEEK_CUR) offset += window.at;
    if (origin == ZLIB_FILEFUNC_SEEK_END) offset += static_cast<uint64_t>(window.file.size());
    if (offset > static_cast<uint64_t>(window.file.size())) return -1;
    window.at = offset;
    return 0;
  }
  static int close(voidpf, voidpf) { return 0; }
  static int error(voidpf opaque, voidpf) { return self(opaque).failure ? 1 : 0; }
};

ZipArchive::ZipArchive(const std::string& path) : path_(path), reader_(std::make_unique<Reader>(path)) {
  reader_->rethrow();
  if (reader_->zip == nullptr || !ends_as_zip())
    throw data_error("{}: truncated or damaged zip file: its {} bytes have no directory at their end", path_,
                     file().size());
  list_entries();
  check_overlaps();
}

ZipArchive::~ZipArchive() = default;

const InputFile& ZipArchive::file() const { return reader_->window.file; }

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

// False where the file ends early: minizip would take the missing bytes at its very end for zeros.
bool ZipArchive::ends_as_zip() const {
  static constexpr std::array<uint8_t, 4> kEnd = {'P', 'K', 5, 6};
  unz_global_info64 info{};
  if (unzGetGlobalInfo64(reader_->zip, &info) != UNZ_OK) return false;
  const int64_t at = file().size() - kEndBytes - static_cast<int64_t>(info.size_comment);
  std::array<uint8_t, kEnd.size()> bytes{};
  if (at < 0) return false;
  file().read(at, bytes);
  return bytes == kEnd;
}

void ZipArchive::list_entries() {
  const unzFile zip = reader_->zip;
  const auto size = static_cast<uint64_t>(file().size());
  std::array<char, kMaxZipName + 1> name{};
  for (int status = unzGoToFirstFile(zip); status != UNZ_END_OF_LIST_OF_FILE; status = unzGoToNextFile(zip)) {
    unz_file_info64 info{};
    std::array<uint8_t, kMaxZipName> extra{};
    const auto damaged = [&] {
      reader_->rethrow();
      return data_error("{}: damaged zip file: entry {} of its directory cannot be read", path_, entries_.size() + 1);
    };
    if (status != UNZ_OK) throw damaged();
    if (entries_.size() >= kMaxZipEntries)
      throw data_error("{}: more than {} entries in a zip file: refused", path_, kMaxZipEntries);
    if (unzGetCurrentFileInfo64(zip, &info, name.data(), kMaxZipName, extra.data(), extra.size(), nullptr, 0) != UNZ_OK)
      throw damaged();
    if (info.size_filename == 0 || info.size_filename > kMaxZipName)
      throw data_error("{}: a name of {} bytes in a zip file, wanted 1 to {}", path_, info.size_filename, kMaxZipName);

    ZipEntry entry{.name = std::string(name.data(), info.size_filename),
                   .stored = info.compression_method == 0,
                   .bytes = info.uncompressed_size,
                   .packed_bytes = info.compressed_size,
                   .crc32 = static_cast<uint32_t>(info.crc)};
    Zip64 large;
    if (entry.stored) large = zip64_of(std::span(extra).first(std::min<size_t>(info.size_file_extra, extra.size())));
    if (large.bytes) entry.bytes = entry.packed_bytes = *large.bytes;
    const std::string shown = printable(entry.name);
    if (is_absolute(entry.name) || has_parent_part(entry.name))
      throw data_error("{}: entry '{}' of the zip file leads out of it: refused", path_, shown);
    if ((info.flag & 1) != 0) throw data_error("{}: entry '{}' of the zip file is encrypted", path_, shown);
    if (!entry.stored && info.compression_method != Z_DEFLATED)
      throw data_error("{}: entry '{}' of the zip file is compressed by method {}, wanted none or deflate", path_,
                       shown, info.compression_method);
    if (entry.stored && entry.bytes != entry.packed_bytes)
      throw data_error("{}: damaged zip file: stored entry '{}' is said to have {} bytes and {}", path_, shown,
                       entry.bytes, entry.packed_bytes);

    const std::optional<uint64_t> offset =
        large.header ? offset_behind_header(*large.header, entry.name) : offset_of_current();
    reader_->rethrow();
    if (!offset)
      throw data_error("{}: damaged zip file: the header before entry '{}' is not what the directory says", path_,
                       shown);
    entry.offset = *offset;
    if (entry.offset > size || entry.packed_bytes > size - entry.offset)
      throw data_error("{}: truncated or damaged zip file: entry '{}' has {} bytes from {} on, the file {}", path_,
                       shown, entry.packed_bytes, entry.offset, size);
    entries_.push_back(std::move(entry));
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!by_name_.emplace(entries_[i].name, i).second)
      throw data_error("{}: entry '{}' stands twice in the zip file: refused", path_, printable(entries_[i].name));
  }
}

// Where the bytes of the entry at which minizip stands begin; nothing where its header contradicts the directory.
std::optional<uint64_t> ZipArchive::offset_of_current() const {
  int method = 0, level = 0;
  if (unzOpenCurrentFile2(reader_->zip, &method, &level, 1) != UNZ_OK) return std::nullopt;
  const uint64_t offset = unzGetCurrentFileZStreamPos64(reader_->zip);
  unzCloseCurrentFile(reader_->zip);
  return offset;
}

// The same of an entry whose header begins at `header`, where minizip does not look.
std::optional<uint64_t> ZipArchive::offset_behind_header(uint64_t header, std::string_view name) const {
  static constexpr std::array<uint8_t, 4> kSignature = {'P', 'K', 3, 4};
  const auto size = static_cast<uint64_t>(file().size());
  std::vector<uint8_t> bytes(kLocalHeaderBytes + name.size());
  if (header > size || bytes.size() > size - header) return std::nullopt;
  file().read(static_cast<int64_t>(header), bytes);
  const std::span<const uint8_t> start(bytes);
  const uint64_t name_bytes = little_endian(start.subspan(26, 2)), extra_bytes = little_endian(start.subspan(28, 2));
  if (!std::equal(kSignature.begin(), kSignature.end(), bytes.begin()) || name_bytes != name.size() ||
      !std::equal(name.begin(), name.end(), bytes.begin() + kLocalHeaderBytes))
    return std::nullopt;
  return header + kLocalHeaderBytes + name_bytes + extra_bytes;
}

void ZipArchive::check_overlaps() const {
  std::vector<size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return entries_[a].offset < entries_[b].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const ZipEntry &before = entries_[order[i - 1]], &after = entries_[order[i]];
    const uint64_t end = before.offset + before.packed_bytes;
    if (end + kLocalHeaderBytes + after.name.size() > after.offset)
      throw data_error("{}: entries '{}' and '{}' of the zip file overlap: refused", path_, printable(before.name),
                       printable(after.name));
  }
}

std::vector<uint8_t> ZipArchive::read(const ZipEntry& entry, uint64_t most) const {
  const std::string shown = printable(entry.name);
  if (std::max(entry.bytes, entry.packed_bytes) > most)
    throw data_error("{}: entry '{}' of the zip file has {} bytes, wanted at most {}", path_, shown, entry.bytes, most);
  if (!entry.stored && entry.bytes / kMaxDeflateRatio > entry.packed_bytes)
    throw data_error("{}: entry '{}' of the zip file cannot have {} bytes out of {}: refused", path_, shown,
                     entry.bytes, entry.packed_bytes);
  std::vector<uint8_t> packed(entry.packed_bytes);
  file().read(static_cast<int64_t>(entry.offset), packed);
  std::vector<uint8_t> bytes;
  if (entry.stored) {
    bytes = std::move(packed);
  } else {
    bytes.resize(entry.bytes);
    const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflate(
        libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
    if (!inflate) throw system_error("{}: no memory to unpack entry '{}'", path_, shown);
    // Without a place for the real size it wants exactly the size that the directory says.
    if (libdeflate_deflate_decompress(inflate.get(), packed.data(), packed.size(), bytes.data(), bytes.size(),
                                      nullptr) != LIBDEFLATE_SUCCESS)
      throw data_error("{}: damaged zip file: entry '{}' does not unpack to the {} bytes it should", path_, shown,
                       entry.bytes);
  }
  if (entry.crc32 != 0 && zip_crc32(0, bytes.data(), bytes.size()) != entry.crc32)
    throw data_error("{}: damaged zip file: the checksum of entry '{}' differs", path_, shown);
  return bytes;
}

uint32_t zip_crc32(uint32_t before, const void* bytes, size_t count) { return libdeflate_crc32(before, bytes, count); }

}  // namespace resflow
