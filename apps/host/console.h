// What the program says beside its results: sentences on standard error, durations and sizes for people.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace resflow {

// "resflow: warning: SENTENCE" on standard error.
void warn(const std::string& sentence);

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  warn(fmt::format(format, std::forward<Args>(args)...));
}

// Throws Error{kSystem} where standard output cannot take what was printed (a full disk, say).
void flush_output();

// Whoever read standard output has gone (`... | head`): no fault, and nothing more to do.
class ReaderGone : public std::exception {
 public:
  const char* what() const noexcept override { return "standard output: its reader has gone"; }
};
inline constexpr int kReaderGoneExit = 141;  // as the shell has it for a program that SIGPIPE ended

// Prints and flushes. Throws ReaderGone, whether SIGPIPE is ignored or not, and as flush_output does.
void print_rows(std::string_view text);

// `text` as the new content of the file at `path`, whole or not at all. Throws as AtomicFile does (io/files/file.h).
void replace_text_file(const std::string& path, const std::string& text);

// Throws what that would throw now of a folder that is not there or may not be written in, for commands to say before
// their work, not after it. Nothing where `path` is empty.
void check_can_be_written(const std::string& path);

std::string format_duration(double seconds);  // "0:07", "12:05", "3:00:41"
std::string format_bytes(double bytes);       // "512 B", "1.5 KB", "1.80 GB", powers of 1000
std::string format_count(int64_t n);          // "11,689,512"
std::string format_rate(double value);        // "65.7", "1,213": not below zero

// "1 picture", "3 pictures"
std::string plural(int64_t n, const std::string& singular, const std::string& plural_form);

}  // namespace resflow
