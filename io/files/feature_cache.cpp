#include "io/files/feature_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/files/file_errors.h"

namespace resflow {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and is written as it lies");

constexpr std::array<uint8_t, 12> kFeatureMagic = {0x89, 'r', 'e', 's', 'f', 'e', 'a', 't', '\r', '\n', 0x1A, '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kF32 = 1;
constexpr size_t kKeyDigits = 64;

struct FeatureHeader {
  std::array<uint8_t, 12> magic;
  uint32_t version;
  uint64_t rows, columns;
  uint32_t dtype;
  uint32_t zero;
  std::array<char, kKeyDigits> key;
  std::array<uint64_t, 2> reserved;
  uint64_t checksum;  // of all before it
};
static_assert(sizeof(FeatureHeader) == 128 && offsetof(FeatureHeader, checksum) == 120);

struct Block {
  uint64_t first;  // row
  uint32_t rows;
  uint32_t reasons;   // bytes of them
  uint64_t payload;   // checksum of what follows
  uint64_t checksum;  // of the fields before it
};
static_assert(sizeof(Block) == 32 && offsetof(Block, checksum) == 24);

// Behind a block's head: a byte a row (0 whole, 1 broken) and zeros up to a multiple of 8, the values, then of each
// broken row the length of its reason (u32) and its text, and zeros up to a multiple of 8.
constexpr uint32_t kMaxBlockRows = 1 << 20;
constexpr uint32_t kMaxReason = 4096;

constexpr uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

uint64_t row_bytes(uint64_t columns) { return columns * sizeof(float); }

template <class T>
uint64_t checksum_of(const T& head) {
  return XXH3_64bits(&head, offsetof(T, checksum));
}

// False where the bytes do not hold as many reasons as there are broken rows.
bool read_reasons(std::span<const uint8_t> bytes, std::span<const uint8_t> status, int64_t first,
                  std::vector<BrokenRow>& broken) {
  for (size_t row = 0; row < status.size(); ++row) {
    if (status[row] == 0) continue;
    uint32_t length = 0;
    if (bytes.size() < sizeof length) return false;
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes = bytes.subspan(sizeof length);
    if (length > bytes.size()) return false;
    broken.push_back({first + static_cast<int64_t>(row), std::string(text_of(bytes.first(length)))});
    bytes = bytes.subspan(length);
  }
  return true;
}

}  // namespace

FeatureCache::FeatureCache(std::string path, const FeatureCacheKey& key, FileSystem& files)
    : path_(std::move(path)), key_(key), files_(files) {
  if (key_.key.size() != kKeyDigits || key_.rows < 0 || key_.columns < 1)
    throw internal_error("{}: a feature cache of {} x {} with the key \"{}\"", path_, key_.rows, key_.columns,
                         key_.key);
  values_ = Array(DType::kF32, {key_.rows, key_.columns});
  open();
  try {
    load();
  } catch (...) {
    close();
    throw;
  }
}

FeatureCache::~FeatureCache() { close(); }

void FeatureCache::close() {
  if (file_ >= 0) files_.close(std::exchange(file_, -1));
}

// To read and write; only to read where it is there and may not be written.
void FeatureCache::open() {
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_CLOEXEC, kTries = 10;
  for (int i = 0; file_ < 0 && i < kTries; ++i) {
    file_ = files_.open(path_.c_str(), kFlags, 0);
    if (file_ < 0 && errno == ENOENT) file_ = files_.open(path_.c_str(), kFlags | O_CREAT | O_EXCL, 0644);
    if (file_ >= 0 || errno != EEXIST) break;  // another program has just made it
  }
  if (file_ >= 0) return;
  const int error = errno;
  if (is_no_permission(error) || error == ELOOP) {
    file_ = files_.open(path_.c_str(), O_RDONLY | O_CLOEXEC, 0);
    kept_ = false;
    if (file_ >= 0) return;
  }
  if (is_no_permission(error) || error == ENOENT || error == ENOTDIR || error == EISDIR || error == ELOOP ||
      error == ENAMETOOLONG)
    throw usage_error("{}: features cannot be kept there: {}; {} names another folder", path_, reason_of(error),
                      setting("feature_cache"));
  fail("opened", error);
}

// Waits a moment, because a program that only reads the file is done soon.
void FeatureCache::lock(bool shared) {
  constexpr int kTries = 10;
  Lock lock = try_lock(files_, file_, shared);
  for (int i = 0; lock == Lock::kHeldByAnother && i < kTries; ++i) {
    ::usleep(100'000);
    lock = try_lock(files_, file_, shared);
  }
  if (lock == Lock::kHeldByAnother)
    throw usage_error("{}: another run is making these features: wait for it, or name another {}", path_,
                      setting("feature_cache"));
  locked_ = lock == Lock::kTaken;
}

// Many may read at once; who finds rows missing locks the file for itself, and looks again where it has changed.
void FeatureCache::load() {
  struct stat before {
  }, now{};
  lock(true);
  if (files_.fstat(file_, &before) != 0) fail("opened", errno);
  read();
  if (complete()) {
    files_.flock(file_, LOCK_UN);
    kept_ = true;
    return;
  }
  if (!kept_) return;
  lock(false);
  if (files_.fstat(file_, &now) != 0) fail("opened", errno);
  if (now.st_size != before.st_size || now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    discarded_.clear();
    broken_.clear();
    done_ = end_ = 0;
    read();
    if (complete()) {
      files_.flock(file_, LOCK_UN);
      return;
    }
  }
  begin();
}

void FeatureCache::read() {
  const InputFile file(path_, files_);
  if (file.size() == 0) return;
  read_header(file);
  if (!discarded_.empty()) return;
  end_ = sizeof(FeatureHeader);
  while (done_ < key_.rows && end_ < file.size()) {
    if (!read_block(file)) break;
  }
}

void FeatureCache::read_header(const InputFile& file) {
  FeatureHeader header{};
  if (file.size() < static_cast<int64_t>(sizeof header)) {
    discarded_ = "is cut off in its header";
    return;
  }
  file.read(0, {reinterpret_cast<uint8_t*>(&header), sizeof header});
  if (header.magic != kFeatureMagic) {
    discarded_ = "is no feature cache";
  } else if (header.checksum != checksum_of(header)) {
    discarded_ = "is damaged: the checksum of its header differs";
  } else if (header.version != kVersion) {
    discarded_ = fmt::format("is of version {}, this resflow's is {}", header.version, kVersion);
  } else if (header.dtype != kF32 || std::string_view(header.key.data(), header.key.size()) != key_.key ||
             header.rows != static_cast<uint64_t>(key_.rows) || header.columns != static_cast<uint64_t>(key_.columns)) {
    discarded_ = "is of other weights, pictures or preprocessing";
  }
}

// Takes over the rows of the block at end_. False where the block is not whole.
bool FeatureCache::read_block(const InputFile& file) {
  const auto room = static_cast<uint64_t>(file.size() - end_);
  const auto damaged = [&] {
    discarded_ = fmt::format("is damaged after row {}", done_);
    return false;
  };
  Block block{};
  if (room < sizeof block) return false;  // cut off
  file.read(end_, {reinterpret_cast<uint8_t*>(&block), sizeof block});
  if (block.checksum != checksum_of(block) || block.first != static_cast<uint64_t>(done_) || block.rows == 0 ||
      block.rows > kMaxBlockRows || block.rows > static_cast<uint64_t>(key_.rows - done_) ||
      block.reasons > block.rows * (kMaxReason + sizeof(uint32_t)))
    return damaged();
  const uint64_t status_bytes = padded(block.rows),
                 value_bytes = block.rows * row_bytes(static_cast<uint64_t>(key_.columns));
  const uint64_t all = status_bytes + padded(value_bytes) + padded(block.reasons);
  if (room - sizeof block < all) return false;  // cut off
  std::vector<uint8_t> ends(status_bytes + (padded(value_bytes) - value_bytes) + padded(block.reasons));
  const std::span<uint8_t> status = std::span(ends).first(status_bytes), rest = std::span(ends).subspan(status_bytes);
  // The values are read straight to their place, because they are most of the file.
  const std::span<uint8_t> values(reinterpret_cast<uint8_t*>(values_.values<float>().data() + done_ * key_.columns),
                                  value_bytes);
  int64_t at = end_ + static_cast<int64_t>(sizeof block);
  for (const std::span<uint8_t> part : {status, values, rest}) {
    file.read(at, part);
    at += static_cast<int64_t>(part.size());
  }
  XXH3_state_t* const state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (const std::span<uint8_t> part : {status, values, rest}) XXH3_64bits_update(state, part.data(), part.size());
  const uint64_t checksum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  const size_t broken_before = broken_.size();
  if (checksum != block.payload || !read_reasons(rest.subspan(padded(value_bytes) - value_bytes, block.reasons),
                                                 status.first(block.rows), done_, broken_)) {
    broken_.resize(broken_before);
    std::fill(values.begin(), values.end(), uint8_t{0});
    return damaged();
  }
  done_ += block.rows;
  end_ = at;
  return true;
}

// Makes the file ready to be appended to: cuts off what stands behind its last whole block.
void FeatureCache::begin() {
  const int64_t needed = (key_.rows - done_) * static_cast<int64_t>(row_bytes(static_cast<uint64_t>(key_.columns)));
  // The file system itself says whether the room that it does not seem to have is there.
  const int64_t free = files_.free_bytes(folder_of(path_).c_str());
  if (free >= 0 && free < needed && files_.allocate(file_, end_ + needed) != 0 && is_disk_full(errno))
    fail("written", errno);
  while (files_.ftruncate(file_, end_) != 0)
    if (errno != EINTR) fail("written", errno);
  if (end_ > 0) return;
  FeatureHeader header{.magic = kFeatureMagic,
                       .version = kVersion,
                       .rows = static_cast<uint64_t>(key_.rows),
                       .columns = static_cast<uint64_t>(key_.columns),
                       .dtype = kF32,
                       .zero = 0,
                       .key = {},
                       .reserved = {},
                       .checksum = 0};
  std::copy(key_.key.begin(), key_.key.end(), header.key.begin());
  header.checksum = checksum_of(header);
  write(bytes_of_value(header), 0);
  end_ = sizeof header;
}

void FeatureCache::append(int64_t count, std::span<const float> values, const std::vector<BrokenRow>& broken) {
  if (count < 1 || count > key_.rows - done_ || count > kMaxBlockRows ||
      static_cast<int64_t>(values.size()) != count * key_.columns)
    throw internal_error("{}: {} rows with {} values do not fit {} of {} x {}", path_, count, values.size(), done_,
                         key_.rows, key_.columns);
  std::vector<uint8_t> status(padded(static_cast<uint64_t>(count))), reasons;
  for (const BrokenRow& row : broken) {
    if (row.row < done_ || row.row >= done_ + count)
      throw internal_error("{}: row {} is not among the {} after {}", path_, row.row, count, done_);
    status[static_cast<size_t>(row.row - done_)] = 1;
    const auto length = static_cast<uint32_t>(std::min<size_t>(row.reason.size(), kMaxReason));
    const std::span<const uint8_t> length_bytes = bytes_of_value(length);
    reasons.insert(reasons.end(), length_bytes.begin(), length_bytes.end());
    reasons.insert(reasons.end(), row.reason.begin(), row.reason.begin() + length);
  }
  Block block{.first = static_cast<uint64_t>(done_),
              .rows = static_cast<uint32_t>(count),
              .reasons = static_cast<uint32_t>(reasons.size()),
              .payload = 0,
              .checksum = 0};
  const size_t value_bytes = values.size_bytes();
  // The block is one write, so that a run that is killed leaves a whole block or the beginning of one.
  std::vector<uint8_t> bytes(sizeof block);
  bytes.reserve(sizeof block + status.size() + padded(value_bytes) + padded(reasons.size()));
  bytes.insert(bytes.end(), status.begin(), status.end());
  const auto* first = reinterpret_cast<const uint8_t*>(values.data());
  bytes.insert(bytes.end(), first, first + value_bytes);
  bytes.resize(padded(bytes.size()));
  bytes.insert(bytes.end(), reasons.begin(), reasons.end());
  bytes.resize(padded(bytes.size()));
  block.payload = XXH3_64bits(bytes.data() + sizeof block, bytes.size() - sizeof block);
  block.checksum = checksum_of(block);
  std::memcpy(bytes.data(), &block, sizeof block);
  write(bytes, end_);
  end_ += static_cast<int64_t>(bytes.size());
  std::copy(values.begin(), values.end(), values_.values<float>().begin() + done_ * key_.columns);
  broken_.insert(broken_.end(), broken.begin(), broken.end());
  done_ += count;
}

void FeatureCache::sync() {
  if (kept_ && !sync_file(files_, file_)) fail("written", errno);
}

void FeatureCache::write(std::span<const uint8_t> bytes, int64_t offset) {
  if (kept_ && write_all(files_, file_, bytes, offset) < bytes.size()) fail("written", errno);
}

void FeatureCache::fail(const char* doing, int error) const {
  if (is_disk_full(error))
    throw system_error("{}: no room for the features of {} pictures, {} MB: free some, or name another {}", path_,
                       key_.rows,
                       static_cast<uint64_t>(key_.rows) * row_bytes(static_cast<uint64_t>(key_.columns)) / 1'000'000,
                       setting("feature_cache"));
  throw system_error("{}: cannot be {}: {}", path_, doing, reason_of(error));
}

}  // namespace resflow
