// A file that grows for hours, and survives being killed: PATH.partial is appended to, and renamed to PATH when it is
// whole. Unlike an AtomicFile (io/files/file.h) it is kept where the work ends early, and goes on from any length that
// was synced before.
//
// PATH.partial is locked (flock) by its writer, and never opened where it is a link or has a second name. As with an
// AtomicFile a link as PATH is followed, the former file's mode stays, and a device or a pipe is written as it is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/files/file.h"

namespace resflow {

class GrowingFile {
 public:
  enum class Begin {
    kWhereItWasLeft,  // with what PATH.partial holds; it is kept where the work ends early
    kAnew,  // under a name of its own, as an AtomicFile; nobody can go on with it, and it goes with the object
  };

  // Opens PATH.partial with what it holds, or makes it; resize() then says where to go on.
  // Throws Error{kUsage} where there is no such folder or no permission, where another program writes the file, where
  // PATH.partial is a link, and as output_place() does; Error{kSystem} where the machine fails.
  explicit GrowingFile(std::string path, FileSystem& files = machine_files(), Begin begin = Begin::kWhereItWasLeft);
  // Keeps PATH.partial, without what was not synced, unless discard() was called.
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  const std::string& path() const { return path_; }
  std::string partial_path() const { return partial_; }
  int64_t size() const { return size_; }  // of what was kept and written, synced or not
  // False where the file system has no locks: the user must see to it that only one program writes the file.
  bool locked() const { return locked_; }

  // Cuts the file to its first `bytes`; a device or a pipe goes on where it is. REQUIRES: nothing has been written yet.
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
  void open_partial();
  void check_partial();
  void open_through();
  void flush();
  void close();
  [[noreturn]] void fail_to_open();
  [[noreturn]] void fail(const char* doing);

  std::string path_;  // as it was given, for sentences
  std::unique_ptr<OutputPlace> place_;
  FileSystem& files_;
  Begin begin_;
  std::string partial_;  // empty where the file is written as it is
  int file_ = -1, lock_ = -1;
  bool locked_ = true, has_safe_name_ = false;
  int64_t size_ = 0;
  std::vector<uint8_t> waiting_;  // the end of what was written
};

}  // namespace resflow
