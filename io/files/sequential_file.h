// A file, or a part of one, from its begin to its end, in memory that does not grow with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/file.h"

namespace resflow {

class SequentialFile {
 public:
  // All of it. Throws as InputFile does.
  explicit SequentialFile(const std::string& path);
  // `bytes` from `begin` on.
  SequentialFile(const std::string& path, int64_t begin, int64_t bytes);

  // The next bytes; nothing at the end. Valid until the next call. Throws Error{kData} where there are fewer, and as
  // InputFile::read does.
  std::optional<std::string_view> next(size_t bytes);

  // The next text up to its line feed and with it; where `quoted`, a line feed between quotes is no end (RFC 4180).
  // As next().
  std::optional<std::string_view> next_row(bool quoted);

 private:
  bool at_end() const { return at_ == end_ && begin_ == buffer_.size(); }
  bool read_more(size_t at_least);

  std::string path_;
  InputFile file_;
  int64_t at_, end_;  // in the file: read up to, to be read up to
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;  // of what was not given yet
};

}  // namespace resflow
