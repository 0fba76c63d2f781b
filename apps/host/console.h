// What the program says beside its results, on standard error, and what it prints row by row.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace resflow {

// "resflow: warning: SENTENCE" on standard error.
void warn(const std::string& sentence);

// "resflow: note: SENTENCE" on standard error.
void note(const std::string& sentence);

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

}  // namespace resflow
