// A file that grows for hours, and survives being killed: PATH.partial is appended to, and renamed to PATH when it is
// whole. Unlike an AtomicFile (io/files/file.h) it is kept where the work ends early, and goes on from any length that
// was synced before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/files/file.h"

namespace resflow {

class GrowingFile {
 public:
  // Opens PATH.partial with what it holds, or makes it; resize() then says where to go on.
  // Throws Error{kUsage} where there is no such folder or no permission, and where another program writes the file
  // (flock); Error{kSystem} where the machine fails.
  explicit GrowingFile(std::string path, FileSystem& files = machine_files());
  // Keeps PATH.partial, without what was not synced, unless discard() was called.
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  const std::string& path() const { return path_; }
  std::string partial_path() const { return partial_; }
  int64_t size() const { return size_; }  // of what was kept and written, synced or not

  // Cuts the file to its first `bytes`. REQUIRES: nothing has been written yet.
  // Throws Error{kData} where the file is shorter, Error{kSystem} where the machine fails.
  void resize(int64_t bytes);

  // Appends; small pieces are gathered. Throws Error{kSystem}.
  void write(std::span<const uint8_t> bytes);
  void write(std::string_view text) { write(bytes_of(text)); }

  // Writes over what was written at `offset`. REQUIRES: all of it was written before. Throws as write does.
  void rewrite(int64_t offset, std::string_view text);

  // Returns when all that was written is on the disk. Throws as write does; a sync that failed must not be tried again.
  void sync();

  // Synced, PATH.partial becomes PATH, atomically and durably; the object is of no more use then.
  // Throws as write does.
  void publish();

  void discard();  // removes PATH.partial; the object is of no more use then

 private:
  void flush();
  void close();
  [[noreturn]] void fail(const char* doing);

  std::string path_, partial_, folder_;
  FileSystem& files_;
  int file_ = -1;
  int64_t size_ = 0;
  std::vector<uint8_t> waiting_;  // the end of what was written
};

}  // namespace resflow
