#include "io/pictures/list_source.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "io/core/error.h"
#include "io/core/utf8.h"
#include "io/files/machine_failure.h"

namespace resflow {
namespace {

constexpr size_t kBuffer = 65'536;
constexpr size_t kMaxEntry = 65'536;  // Linux takes paths of 4096 bytes; an id may be longer

Error list_failure(const std::string& what, int error) {
  return {is_machine_failure(error) ? ErrorKind::kSystem : ErrorKind::kData, what + ": " + reason_of(error)};
}

}  // namespace

ListSource::ListSource(const std::string& path, ListOptions options)
    : name_(path == "-" ? "the list on standard input" : path),
      options_(std::move(options)),
      file_(path, options_.stop),
      buffer_(kBuffer) {
  if (file_.error() != 0) throw list_failure(path + ": the list cannot be opened", file_.error());
}

// Reads more; false at the end.
bool ListSource::fill() {
  const std::optional<size_t> count = file_.read(std::as_writable_bytes(std::span(buffer_)));
  if (!count) throw list_failure(name_ + ": cannot be read", file_.error());
  begin_ = 0;
  end_ = *count;
  return end_ > 0;
}

// The bytes up to the next separator, which may be missing at the end of the list. False where there are none.
bool ListSource::next_entry(std::string& entry) {
  entry.clear();
  const char separator = options_.null ? '\0' : '\n';
  ++number_;
  for (;;) {
    if (begin_ == end_) {
      ended_ = !fill();
      if (ended_) return !entry.empty() && !file_.stopped();
    }
    const char* const from = buffer_.data() + begin_;
    const auto* const found = static_cast<const char*>(std::memchr(from, separator, end_ - begin_));
    const size_t count = found != nullptr ? static_cast<size_t>(found - from) : end_ - begin_;
    if (entry.size() + count > kMaxEntry)
      throw data_error("{}: entry {} is longer than {} bytes; wanted a path {}", name_, number_, kMaxEntry,
                       options_.null ? "before each zero byte" : "a line");
    entry.append(from, count);
    begin_ += count + (found != nullptr ? 1 : 0);
    if (found != nullptr) return true;
  }
}

// Editors on Windows begin a text with a byte order mark, which is no part of the first path.
void ListSource::take_mark_off() {
  using namespace std::string_view_literals;
  // Of UTF-16 as those programs write it: a path on Linux may begin so, but it holds no zero byte.
  const bool zeros = entry_.find('\0') != std::string::npos;
  if (zeros && (entry_.starts_with("\xFF\xFE"sv) || entry_.starts_with("\xFE\xFF"sv)))
    throw data_error("{}: is UTF-16, wanted UTF-8: save it as that", name_);
  entry_.erase(0, entry_.size() - without_byte_order_mark(entry_).size());
}

bool ListSource::next(Picture& picture) {
  while (!ended_ && next_entry(entry_)) {
    if (!options_.null) {
      if (number_ == 1) take_mark_off();
      if (entry_.find('\0') != std::string::npos)
        throw data_error("{}: line {} holds a zero byte; is it a list of find -print0? Say {} then", name_, number_,
                         setting("null"));
      if (entry_.ends_with('\r')) entry_.pop_back();
    }
    if (entry_.empty()) continue;
    const size_t tab = options_.ids ? entry_.rfind('\t') : std::string::npos;
    picture.path.assign(entry_, 0, tab);
    const bool has_id = tab != std::string::npos && tab + 1 < entry_.size();
    picture.name = has_id ? entry_.substr(tab + 1) : picture.path;
    picture.bytes.clear();
    picture.error = picture.path.empty() ? "the list has no path for it" : "";
    found_ = true;
    return true;
  }
  if (!found_ && !file_.stopped()) throw data_error("{}: names no file", name_);
  return false;
}

}  // namespace resflow
