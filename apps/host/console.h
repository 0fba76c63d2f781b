// What the program says: messages on standard error, results on standard output.
//
// Whatever a name holds that a message or a result speaks of, a terminal gets no orders by it (printable() of
// io/core/text.h). Nothing but print_rows() throws because something cannot be written: a message that cannot be
// written is lost, and a result that cannot is remembered until the work is done (conclude_output).
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "io/core/text.h"

namespace resflow {

// A line on standard error, and on standard output.
void print_error_line(std::string_view line);
void print_line(std::string_view line);

// "resflow: SENTENCE", "resflow: warning: SENTENCE" and "resflow: note: SENTENCE" on standard error.
void complain(const std::string& sentence);
void warn(const std::string& sentence);
void note(const std::string& sentence);

// As complain(), taking no memory: for when there is none. `sentence` is printed as it is.
void complain_without_memory(std::string_view sentence) noexcept;

// An exception at a place that none may leave (a destructor of a library that wants memory) ends the program where it
// is. From here on it does so for want of memory with a sentence and this exit code, without a core file.
void end_cleanly_without_memory(int exit_code) noexcept;

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  warn(fmt::format(format, std::forward<Args>(args)...));
}

// A table or another text of several lines, on standard output. Names in it must not bring line breaks of their own.
void print_text(std::string_view text);

// The same of `format`, which alone brings line breaks.
template <class... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  print_text(format_printable(format, std::forward<Args>(args)...));
}

// What is for other programs, JSON say, to the byte; where standard output is a terminal, as print_text.
void print_data(std::string_view data);

// Whoever read standard output has gone (`... | head`): no fault, and nothing more to do.
class ReaderGone : public std::exception {
 public:
  const char* what() const noexcept override { return "standard output: its reader has gone"; }
};
inline constexpr int kReaderGoneExit = 141;  // as the shell has it for a program that SIGPIPE ended

// Prints as print_data does, at once. Throws ReaderGone, ReaderStalls (apps/host/stream.h), or Error{kSystem} where
// standard output cannot take the rows (a full disk, say). SIGPIPE must be ignored.
void print_rows(std::string_view text);

// The exit code of a command that ends with `exit_code`: where that is 0 and results could not be printed, 4, which is
// said, or kReaderGoneExit.
int conclude_output(int exit_code);

}  // namespace resflow
