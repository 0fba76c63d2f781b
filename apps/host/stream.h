// The three descriptors that every program is started with, and writing to them whatever has become of their readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

#include "io/files/file.h"

namespace resflow {

// Opens /dev/null in the place of each of them that is closed, so that no file of ours gets its number, and what is
// written to the terminal never lands in a file. There standard input and output stay what they are, unusable: a read
// or a write fails. To be called before anything is opened. False where there is no /dev/null.
bool reserve_standard_streams();

// Writes all of `text`, by pieces that a pipe takes without waiting in between. Waits for a slow reader as long as
// nobody asks to stop (apps/host/signals.h), and about a second from then on. Never throws, and needs no memory.
// Returns 0 or the errno of what went wrong: EPIPE where the reader has gone, ETIMEDOUT where it did not read.
int write_stream(int file, std::string_view text);

// The reader of what is written is there and does not read, and the program was asked to stop.
class ReaderStalls : public std::exception {
 public:
  const char* what() const noexcept override { return "its reader does not read"; }
};

// Writes to a pipe, a socket or a terminal as write_stream() does. There write() throws ReaderStalls.
class StoppableFiles : public FileSystem {
 public:
  int64_t write(int file, const void* bytes, size_t count) override;
};

}  // namespace resflow
