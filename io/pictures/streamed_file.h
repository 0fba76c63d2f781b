// A file that is read once, from its beginning to its end, and may be a pipe that nobody writes to for a long time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace resflow {

// Used by one thread at a time. Whoever waits in it is let go where `stop` says so; it is asked ten times a second.
class StreamedFile {
 public:
  // "-" is standard input. Of a pipe with a name it does not wait for a writer: read() does. An error of opening is
  // error(), and a read then gives it again.
  explicit StreamedFile(const std::string& path, std::function<bool()> stop = {});
  ~StreamedFile();
  StreamedFile(const StreamedFile&) = delete;
  StreamedFile& operator=(const StreamedFile&) = delete;

  // Waits for bytes and reads as many as are there and fit. 0: the end, or where stopped() the end of waiting. Empty
  // where it cannot be read: error() says why.
  std::optional<size_t> read(std::span<std::byte> bytes);
  // Passes over about so many bytes where that takes no reading, which only a regular file allows. Returns how many.
  int64_t skip(int64_t bytes);

  int error() const { return error_; }       // of errno; 0: none
  bool stopped() const { return stopped_; }  // the last read ended because `stop` said so
  // Asks, as read() does while it waits, for work between two reads.
  bool ask_to_stop();

 private:
  bool wait();

  std::function<bool()> stop_;
  int file_ = -1;
  int error_ = 0;
  bool stopped_ = false, seekable_ = false;
};

}  // namespace resflow
