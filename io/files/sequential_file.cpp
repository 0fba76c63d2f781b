#include "io/files/sequential_file.h"

#include <algorithm>
#include <span>

#include "io/core/error.h"

namespace resflow {
SequentialFile::SequentialFile(const std::string& path, size_t piece)
    : path_(path), piece_(piece), size_(InputFile(path).size()), at_(0), end_(size_) {}

SequentialFile::SequentialFile(const std::string& path, int64_t begin, int64_t bytes, size_t piece)
    : path_(path), piece_(piece), size_(InputFile(path).size()), at_(begin), end_(begin + bytes) {}

// False where the file has no more.
bool SequentialFile::read_more(size_t at_least) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  const size_t kept = buffer_.size();
  const auto more = static_cast<size_t>(std::min(end_ - at_, static_cast<int64_t>(std::max(piece_, at_least))));
  if (more == 0) return false;
  buffer_.resize(kept + more);
  const InputFile file(path_);
  if (file.size() != size_)
    throw data_error("{}: has {} bytes, {} when it was opened: it was changed meanwhile", path_, file.size(), size_);
  file.read(at_, std::span(buffer_).subspan(kept));
  at_ += static_cast<int64_t>(more);
  return true;
}

std::optional<std::string_view> SequentialFile::next(size_t bytes) {
  if (at_end()) return std::nullopt;
  while (buffer_.size() - begin_ < bytes)
    if (!read_more(bytes)) throw data_error("{}: ends within a row", path_);
  const std::string_view found(reinterpret_cast<const char*>(buffer_.data()) + begin_, bytes);
  begin_ += bytes;
  return found;
}

std::optional<std::string_view> SequentialFile::next_row(bool quoted) {
  if (at_end()) return std::nullopt;
  bool within = false;
  for (size_t length = 0;; ++length) {
    if (begin_ + length == buffer_.size() && !read_more(piece_)) throw data_error("{}: ends within a row", path_);
    const uint8_t c = buffer_[begin_ + length];
    if (c == '"' && quoted) within = !within;
    if (c != '\n' || within) continue;
    const std::string_view found(reinterpret_cast<const char*>(buffer_.data()) + begin_, length + 1);
    begin_ += length + 1;
    return found;
  }
}

}  // namespace resflow
