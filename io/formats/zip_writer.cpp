#include "io/formats/zip_writer.h"

#include <minizip/zip.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

// Sizes of the format's records, without names and extra fields.
constexpr uint64_t kLocalHeader = 30, kDirectoryHeader = 46, kEnd = 22, kEnd64 = 56 + 20;
constexpr uint64_t kLocalExtra64 = 20;             // of an entry whose sizes take 64 bits
constexpr uint64_t kPaddingHeader = 4;             // id and length of an extra field
constexpr uint64_t kMax32 = 0xFFFFFFFF;            // this and more takes 64 bits
constexpr uint64_t kMaxEntries32 = 0xFFFF;         // more take the 64-bit end
constexpr size_t kLargestWrite = size_t{1} << 30;  // minizip counts a write in 32 bits

struct Place {
  bool is64 = false;
  std::string padding;  // an extra field
};

struct Layout {
  std::vector<Place> places;
  uint64_t bytes = 0;
};

// An extra field of its own id, as torch.save has it, that makes up for what is missing to the next multiple of 64.
std::string padding_after(uint64_t at) {
  const uint64_t start = at + kPaddingHeader;
  const uint64_t count = (kZipContentAlignment - start % kZipContentAlignment) % kZipContentAlignment;
  return std::string("FB") + static_cast<char>(count) + '\0' + std::string(count, 'Z');
}

Layout lay_out(const std::vector<ZipStream>& contents) {
  Layout layout;
  uint64_t at = 0, directory = 0;
  for (const auto& [name, bytes, write] : contents) {
    Place& place = layout.places.emplace_back();
    place.is64 = bytes >= kMax32;
    const uint64_t wide_fields = (place.is64 ? 2 : 0) + (at >= kMax32 ? 1 : 0);
    directory += kDirectoryHeader + name.size() + (wide_fields > 0 ? 4 + 8 * wide_fields : 0);
    at += kLocalHeader + name.size() + (place.is64 ? kLocalExtra64 : 0);
    place.padding = padding_after(at);
    at += place.padding.size() + bytes;
  }
  layout.bytes = at + directory + kEnd;
  if (at >= kMax32 || contents.size() > kMaxEntries32) layout.bytes += kEnd64;
  return layout;
}

// The file as minizip sees it. It goes back once an entry, to put sizes and checksum into its header. An exception must
// not pass through it: the first one waits here, and nothing is written after it.
class Sink {
 public:
  explicit Sink(AtomicFile& file) : file_(file) {}

  zlib_filefunc64_def functions() {
    return {.zopen64_file = [](void* self, const void*, int) { return self; },
            .zread_file = [](void*, void*, void*, uLong) { return uLong{0}; },
            .zwrite_file = [](void*, void* self, const void* bytes,
                              uLong count) { return static_cast<Sink*>(self)->write(bytes, count); },
            .ztell64_file = [](void*, void* self) { return ZPOS64_T{static_cast<Sink*>(self)->at_}; },
            .zseek64_file = [](void*, void* self, ZPOS64_T offset,
                               int origin) { return static_cast<Sink*>(self)->seek(offset, origin); },
            .zclose_file = [](void*, void*) { return 0; },
            .zerror_file = [](void*, void*) { return 0; },
            .opaque = this};
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  uint64_t bytes() const { return end_; }

 private:
  uLong write(const void* bytes, uLong count) {
    try {
      const std::span<const uint8_t> span(static_cast<const uint8_t*>(bytes), count);
      if (!error_ && at_ == end_) file_.write(span);
      if (!error_ && at_ != end_) file_.rewrite(static_cast<int64_t>(at_), span);
    } catch (...) {
      error_ = std::current_exception();
    }
    // minizip is told that all is well even then: its own way out of a failed write leaks memory.
    at_ += count;
    end_ = std::max(end_, at_);
    return count;
  }

  long seek(ZPOS64_T offset, int origin) {
    if (origin != ZLIB_FILEFUNC_SEEK_SET || offset > end_) return -1;
    at_ = offset;
    return 0;
  }

  AtomicFile& file_;
  uint64_t at_ = 0, end_ = 0;
  std::exception_ptr error_;
};

class Writer {
 public:
  Writer(AtomicFile& file, std::string path) : path_(std::move(path)), sink_(file) {
    zlib_filefunc64_def functions = sink_.functions();
    zip_ = zipOpen2_64(path_.c_str(), APPEND_STATUS_CREATE, nullptr, &functions);
    if (zip_ == nullptr) throw system_error("{}: minizip does not start: no memory", path_);
  }
  ~Writer() {
    if (zip_ != nullptr) zipClose(zip_, nullptr);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void add(const ZipStream& content, const Place& place) {
    constexpr uLong kMadeBy = 0, kFlags = 0;
    check(zipOpenNewFileInZip4_64(zip_, content.name.c_str(), nullptr, place.padding.data(),
                                  static_cast<uInt>(place.padding.size()), nullptr, 0, nullptr, 0, 0, 0, -MAX_WBITS,
                                  DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY, nullptr, 0, kMadeBy, kFlags, place.is64 ? 1 : 0));
    uint64_t written = 0;
    content.write([&](std::span<const uint8_t> rest) {
      written += rest.size();
      while (!rest.empty()) {
        const auto block = rest.first(std::min(rest.size(), kLargestWrite));
        check(zipWriteInFileInZip(zip_, block.data(), static_cast<unsigned>(block.size())));
        rest = rest.subspan(block.size());
      }
    });
    if (written != content.bytes)
      throw internal_error("{}: {} has {} bytes, wanted {}", path_, content.name, written, content.bytes);
    check(zipCloseFileInZip(zip_));
  }

  void finish(uint64_t bytes) {
    check(zipClose(std::exchange(zip_, nullptr), nullptr));
    if (sink_.bytes() != bytes)
      throw internal_error("{}: the zip file has {} bytes, wanted {}", path_, sink_.bytes(), bytes);
  }

 private:
  void check(int result) const {
    sink_.rethrow();
    if (result != ZIP_OK) throw internal_error("{}: minizip cannot write it: error {}", path_, result);
  }

  std::string path_;
  Sink sink_;
  zipFile zip_ = nullptr;
};

}  // namespace

void write_zip(const std::vector<ZipContent>& contents, const std::string& path, FileSystem& files) {
  std::vector<ZipStream> streams;
  streams.reserve(contents.size());
  for (const auto& [name, bytes] : contents)
    streams.push_back({name, bytes.size(), [bytes = bytes](const ZipStream::Sink& sink) { sink(bytes); }});
  write_zip(streams, path, files);
}

void write_zip(const std::vector<ZipStream>& contents, const std::string& path, FileSystem& files) {
  const Layout layout = lay_out(contents);
  AtomicFile file(path, static_cast<int64_t>(layout.bytes), files);
  Writer writer(file, path);
  for (size_t i = 0; i < contents.size(); ++i) writer.add(contents[i], layout.places[i]);
  writer.finish(layout.bytes);
  file.commit();
}

}  // namespace resflow
