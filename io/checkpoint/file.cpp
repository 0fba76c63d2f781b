#include "io/checkpoint/file.h"

#include <google/protobuf/stubs/logging.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "io/core/array.h"
#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/image_format.h"

namespace resflow {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and is written as it lies");

constexpr std::array<uint8_t, kCheckpointMagicBytes> kMagic = {0x89, 'r', 'e',  's',  'f',  'l',
                                                               'o',  'w', '\r', '\n', 0x1A, '\n'};

// Far above any real manifest (ResNet-152's with Adam is 0.2 MB), far below Protobuf's own limit.
constexpr uint64_t kMaxManifestBytes = 64 << 20;
constexpr int kMaxDims = 8;

// The layout of the header is that of all versions; the rest may change with the version.
struct Header {
  std::array<uint8_t, kCheckpointMagicBytes> magic;
  uint32_t version;
  uint64_t manifest_bytes;
  uint64_t manifest_checksum;
  uint64_t file_bytes;
  std::array<uint64_t, 2> reserved;
  uint64_t checksum;  // of all before it
};
static_assert(sizeof(Header) == kTensorAlignment && offsetof(Header, checksum) == 56);

using Bytes = std::span<const uint8_t>;

uint64_t header_checksum(const Header& header) {
  return checkpoint_checksum(bytes_of_value(header).first(offsetof(Header, checksum)));
}

// What a file is that is no checkpoint.
std::string describe_other(Bytes start) {
  if (start.empty()) return "is empty";
  if (start.size() >= 4 && std::memcmp(start.data(), "PK\3\4", 4) == 0) return "is a zip file, as PyTorch's .pth are,";
  if (const ImageFormat* format = image_format(start)) return fmt::format("is a {}", format->name);
  return "is another program's file";
}

}  // namespace

uint32_t checkpoint_version(const proto::Manifest& manifest) {
  return manifest.has_head() ? kCheckpointVersionHead : kCheckpointVersion;
}

uint64_t checkpoint_checksum(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

bool starts_as_checkpoint(Bytes bytes) {
  return bytes.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), bytes.begin());
}

CheckpointFile::CheckpointFile(const std::string& path) : path_(path), file_(path) {
  read_header();
  read_manifest();
}

void CheckpointFile::read_header() {
  std::array<uint8_t, sizeof(Header)> bytes{};
  const auto size = static_cast<uint64_t>(file_.size());
  const std::span<uint8_t> start = std::span(bytes).first(std::min<size_t>(size, bytes.size()));
  file_.read(0, start);
  if (!starts_as_checkpoint(start)) throw data_error("{}: {} and no resflow checkpoint", path_, describe_other(start));
  if (start.size() < bytes.size()) throw data_error("{}: truncated checkpoint: {} bytes", path_, size);
  Header header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header_checksum(header) != header.checksum)
    throw data_error("{}: damaged checkpoint: the checksum of its header differs", path_);
  version_ = header.version;
  if (version_ < kCheckpointVersion || version_ > kCheckpointVersionHead) {
    throw data_error(
        "{}: checkpoint of format version {}, this resflow reads versions {} to {}: take the resflow that wrote it",
        path_, version_, kCheckpointVersion, kCheckpointVersionHead);
  }
  if (size < header.file_bytes)
    throw data_error("{}: truncated checkpoint: {} of {} bytes", path_, size, header.file_bytes);
  if (size > header.file_bytes)
    throw data_error("{}: damaged checkpoint: {} bytes, wanted {}", path_, size, header.file_bytes);
  if (header.manifest_bytes > std::min(kMaxManifestBytes, size - sizeof header))
    throw data_error("{}: damaged checkpoint: its header says {} bytes of manifest", path_, header.manifest_bytes);
  manifest_bytes_ = header.manifest_bytes;
  manifest_checksum_ = header.manifest_checksum;
}

void CheckpointFile::read_manifest() {
  std::vector<uint8_t> bytes(manifest_bytes_);
  file_.read(sizeof(Header), bytes);
  if (checkpoint_checksum(bytes) != manifest_checksum_)
    throw data_error("{}: damaged checkpoint: the checksum of its manifest differs", path_);
  const google::protobuf::LogSilencer silence;  // what is wrong is said once, by us
  if (!manifest_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw data_error("{}: damaged checkpoint: its manifest cannot be read", path_);
  tensors_offset_ = aligned(sizeof(Header) + manifest_bytes_);
  uint64_t end = 0;
  check_entries(manifest_.parameters(), end);
  check_entries(manifest_.optimizer(), end);
}

void CheckpointFile::check_entries(const google::protobuf::RepeatedPtrField<proto::Tensor>& entries,
                                   uint64_t& end) const {
  const auto size = static_cast<uint64_t>(file_.size());
  const uint64_t room = size > tensors_offset_ ? size - tensors_offset_ : 0;
  std::unordered_set<std::string_view> names;
  for (const auto& entry : entries) {
    const auto refuse = [&](std::string_view what) {
      throw data_error("{}: damaged checkpoint: {}: {}", path_, entry.name(), what);
    };
    if (!names.insert(entry.name()).second) refuse("stands twice in it");
    if (entry.dims_size() > kMaxDims) refuse("has too many dims");
    uint64_t bytes = 0;
    try {
      bytes = dtype_bytes(dtype_from_name(entry.dtype()));
    } catch (const Error& error) {
      refuse(error.what());
    }
    for (const int64_t dim : entry.dims()) {
      if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes)) refuse("has impossible dims");
    }
    if (bytes != entry.bytes()) refuse("its dims and its size do not fit");
    if (entry.offset() % kTensorAlignment != 0 || entry.offset() < end) refuse("stands at an impossible place");
    if (entry.offset() > room || bytes > room - entry.offset()) refuse("stands outside of the file");
    end = entry.offset() + bytes;
  }
}

void CheckpointFile::read(const proto::Tensor& entry, std::span<uint8_t> to) const {
  file_.read(static_cast<int64_t>(tensors_offset_ + entry.offset()), to);
  if (checkpoint_checksum(to) != entry.xxh3())
    throw data_error("{}: damaged checkpoint: the checksum of {} differs", path_, entry.name());
}

void CheckpointFile::verify() const {
  std::vector<uint8_t> buffer;
  for (const auto* entries : {&manifest_.parameters(), &manifest_.optimizer()}) {
    for (const auto& entry : *entries) {
      buffer.resize(entry.bytes());
      read(entry, buffer);
    }
  }
}

void write_checkpoint_file(const proto::Manifest& manifest, const std::vector<Bytes>& values, const std::string& path,
                           int generations, FileSystem& files) {
  std::string text;
  if (!manifest.SerializeToString(&text) || text.size() > kMaxManifestBytes)
    throw internal_error("{}: its manifest is larger than {} bytes", path, kMaxManifestBytes);

  const uint64_t tensors_offset = aligned(sizeof(Header) + text.size());
  uint64_t end = 0;
  std::vector<uint64_t> offsets;
  for (const auto* entries : {&manifest.parameters(), &manifest.optimizer()}) {
    for (const auto& entry : *entries) {
      offsets.push_back(entry.offset());
      end = entry.offset() + entry.bytes();
    }
  }
  Header header{.magic = kMagic,
                .version = checkpoint_version(manifest),
                .manifest_bytes = text.size(),
                .manifest_checksum = XXH3_64bits(text.data(), text.size()),
                .file_bytes = tensors_offset + end,
                .reserved = {},
                .checksum = 0};
  header.checksum = header_checksum(header);

  AtomicFile file(path, static_cast<int64_t>(header.file_bytes), files);
  static constexpr std::array<uint8_t, kTensorAlignment> kZeros{};
  uint64_t at = 0;
  const auto write = [&](Bytes bytes) {
    file.write(bytes);
    at += bytes.size();
  };
  const auto pad_to = [&](uint64_t offset) { write(Bytes(kZeros).first(offset - at)); };
  write(bytes_of_value(header));
  write(bytes_of(text));
  pad_to(tensors_offset);
  for (size_t i = 0; i < values.size(); ++i) {
    pad_to(tensors_offset + offsets[i]);
    write(values[i]);
  }
  file.commit(generations);
}

}  // namespace resflow
