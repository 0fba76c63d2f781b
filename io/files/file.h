// Files as a whole: reading one into a reusable buffer, and replacing one so that it is never seen half-written.
//
// Both go through FileSystem, so that tests can play a full or failing disk.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/error.h"

struct stat;

namespace resflow {

// The system calls of these names and no more: each returns -1 and sets errno where it fails.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int open(const char* path, int flags, unsigned mode);
  virtual int64_t pread(int file, void* bytes, size_t count, int64_t offset);
  virtual int64_t write(int file, const void* bytes, size_t count);
  virtual int64_t pwrite(int file, const void* bytes, size_t count, int64_t offset);
  virtual int ftruncate(int file, int64_t bytes);
  virtual int fsync(int file);
  virtual int close(int file);
  virtual int rename(const char* from, const char* to);
  virtual int link(const char* from, const char* to);
  virtual int unlink(const char* path);
  virtual int64_t free_bytes(const char* folder);  // what this user may still write there
  // Takes so many bytes of the disk for the file, which keeps its size.
  virtual int allocate(int file, int64_t bytes);
  virtual int flock(int file, int operation);
  virtual int stat(const char* path, struct stat* status);
  virtual int lstat(const char* path, struct stat* status);
  virtual int fstat(int file, struct stat* status);
  virtual int fchmod(int file, unsigned mode);
  virtual int fchown(int file, unsigned owner, unsigned group);
  virtual int access(const char* path, int mode);
  virtual int mkdir(const char* path, unsigned mode);
  virtual int rmdir(const char* path);
  virtual int exchange(const char* one, const char* other);  // of two names that are there

  // Between two attempts at reading (io/files/machine_failure.h): waits, longer after each of the `failed` attempts so
  // far, in all less than a second; false where there is to be no further attempt.
  virtual bool pause(int failed);
  virtual void sleep(double seconds);
};

FileSystem& machine_files();

struct OutputPlace;  // io/files/output_place.h

// The open file is no more the one that its server knows by this name: it may be when it is opened anew.
class StaleFile : public Error {
 public:
  explicit StaleFile(const std::string& path)
      : Error(ErrorKind::kSystem, path + ": cannot be read: " + reason_of(ESTALE)) {}
};

// A regular file that is open for reading. Never mapped: a mapped file that shrinks kills the process.
class InputFile {
 public:
  // Throws UnreadableFile where there is no such file or no permission; Error{kData} where it is a folder or a device;
  // Error{kSystem} where the machine fails, and goes on failing when it is asked again (io/files/machine_failure.h).
  explicit InputFile(const std::string& path, FileSystem& files = machine_files());
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int64_t size() const { return size_; }

  // Advice to the system, which then reads ahead farther.
  void will_be_read_in_order() const;

  // Fills `bytes` from `offset` on. Throws Error{kData} where the file has become shorter, and else as the constructor.
  void read(int64_t offset, std::span<uint8_t> bytes) const;

 private:
  std::string path_;
  FileSystem& files_;
  int file_ = -1;
  int64_t size_ = 0;
};

// Reads the whole file to the start of `buffer`, which only grows, and returns that part of it. A file that is stale
// (ESTALE) is opened anew. Throws as InputFile does.
std::span<const uint8_t> read_file(const std::string& path, std::vector<uint8_t>& buffer,
                                   FileSystem& files = machine_files());

// Replaces `path` at commit(), atomically and durably: a partial file is written beside it, synced and renamed, then
// the folder is synced (docs/checkpoint.md). Until commit() has returned `path` is the previous file, and the new one
// has its mode. The partial file has a name of its own each time, so that two programs that write one path each leave a
// whole file. Where `path` is a link, the file that it leads to is replaced; a device, a pipe or a descriptor such as
// /dev/stdout is written as it is, from the first write on.
class AtomicFile {
 public:
  // `bytes` is how much will be written. Throws Error{kSystem} where the disk has less (needed and free are
  // said), Error{kUsage} where there is no permission or no such folder, and as output_place() does.
  AtomicFile(std::string path, int64_t bytes, FileSystem& files = machine_files());
  ~AtomicFile();  // without commit(): removes what was written
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Throws Error{kSystem}; the object is of no more use then.
  void write(std::span<const uint8_t> bytes);

  // Writes over what was written at `offset`; later writes go on at the end. REQUIRES: all of it was written before.
  // Throws as write does, also for a pipe.
  void rewrite(int64_t offset, std::span<const uint8_t> bytes);

  // Keeps the `generations` - 1 files before this one as path.1 (the newest), path.2, ...
  // REQUIRES: generations >= 1. Throws Error{kSystem}.
  void commit(int generations = 1);

 private:
  void open_through();
  void reserve();
  void keep_previous(int generations);
  void copy_previous(const std::string& to);
  [[noreturn]] void fail_to_open();
  [[noreturn]] void fail(const char* doing);

  std::string path_;  // as it was given, for sentences
  std::unique_ptr<OutputPlace> place_;
  FileSystem& files_;
  std::string partial_;
  int64_t needed_ = 0, written_ = 0;
  int file_ = -1, lock_ = -1;
  bool moved_generations_ = false, committed_ = false;
};

// Writes `bytes` as the new content of `path`, as AtomicFile does.
void replace_file(const std::string& path, std::span<const uint8_t> bytes, FileSystem& files = machine_files());
void replace_text_file(const std::string& path, std::string_view text, FileSystem& files = machine_files());

}  // namespace resflow
