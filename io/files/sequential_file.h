// A file, or a part of one, from its begin to its end, in memory that does not grow with it.
//
// The file is open only while a piece of it is read, so that any number of them may be at hand at once: a process may
// have few files open, often 1024.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/file.h"

namespace resflow {

inline constexpr size_t kReadAtOnce = size_t{256} << 10;

class SequentialFile {
 public:
  // All of it, in pieces of `piece` bytes or of a row where that is larger. Throws as InputFile does.
  explicit SequentialFile(const std::string& path, size_t piece = kReadAtOnce);
  // `bytes` from `begin` on.
  SequentialFile(const std::string& path, int64_t begin, int64_t bytes, size_t piece = kReadAtOnce);

  // The next bytes; nothing at the end. Valid until the next call. Throws Error{kData} where there are fewer, or where
  // the file was replaced meanwhile by one of another size, and as InputFile does.
  std::optional<std::string_view> next(size_t bytes);

  // The next text up to its line feed and with it; where `quoted`, a line feed between quotes is no end (RFC 4180).
  // As next().
  std::optional<std::string_view> next_row(bool quoted);

 private:
  bool at_end() const { return at_ == end_ && begin_ == buffer_.size(); }
  bool read_more(size_t at_least);

  std::string path_;
  size_t piece_;
  int64_t size_;      // of the file
  int64_t at_, end_;  // in the file: read up to, to be read up to
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;  // of what was not given yet
};

}  // namespace resflow
