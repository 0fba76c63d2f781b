#include "apps/host/console.h"

#include <cxxabi.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <new>
#include <typeinfo>

#include "apps/host/signals.h"
#include "apps/host/stream.h"
#include "io/core/error.h"

namespace resflow {
namespace {

std::atomic<int> output_error{0};  // the first errno of a result that could not be printed

// Remembers that a result was lost.
void remember(int error) {
  int none = 0;
  if (error != 0) output_error.compare_exchange_strong(none, error);
}

int write_data(std::string_view data) {
  static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return terminal ? write_stream(STDOUT_FILENO, printable_lines(data)) : write_stream(STDOUT_FILENO, data);
}

std::string incomplete(int error) {
  const std::string why = error == EBADF       ? "it is closed"
                          : error == ETIMEDOUT ? "its reader does not read"
                                               : reason_of(error);
  return fmt::format("standard output: {}: what was printed is not complete", why);
}

}  // namespace

void print_error_line(std::string_view line) {
  try {
    // In one piece, so that lines of several processes in one log stay whole.
    write_stream(STDERR_FILENO, printable(line, std::string_view::npos) + '\n');
  } catch (const std::bad_alloc&) {
    // The memory is short of which the line would speak.
  }
}

void print_line(std::string_view line) {
  remember(write_stream(STDOUT_FILENO, printable(line, std::string_view::npos) + '\n'));
}

void complain_without_memory(std::string_view sentence) noexcept {
  for (const std::string_view part : {std::string_view("resflow: "), sentence, std::string_view("\n")})
    write_stream(STDERR_FILENO, part);
}

namespace {

std::terminate_handler former_end = nullptr;
int exit_code_without_memory = 4;

void end_program() {
  const std::type_info* const thrown = abi::__cxa_current_exception_type();
  if (thrown == nullptr || (*thrown != typeid(std::bad_alloc) && *thrown != typeid(std::bad_array_new_length)))
    former_end();
  complain_without_memory("out of memory: try a smaller --batch or --image-size");
  ::_exit(exit_code_without_memory);
}

}  // namespace

void end_cleanly_without_memory(int exit_code) noexcept {
  exit_code_without_memory = exit_code;
  const std::terminate_handler former = std::set_terminate(end_program);
  if (former != end_program) former_end = former;
}

void complain(const std::string& sentence) { print_error_line("resflow: " + sentence); }
void warn(const std::string& sentence) { complain("warning: " + sentence); }
void note(const std::string& sentence) { complain("note: " + sentence); }

void print_text(std::string_view text) { remember(write_stream(STDOUT_FILENO, printable_lines(text))); }

void print_data(std::string_view data) { remember(write_data(data)); }

void print_rows(std::string_view text) {
  const int error = write_data(text);
  if (error == EPIPE) throw ReaderGone();
  if (error == ETIMEDOUT) throw ReaderStalls();
  if (error != 0) throw system_error("{}", incomplete(error));
}

int conclude_output(int exit_code) {
  const int error = output_error;
  if (error == 0) return exit_code;
  if (error != EPIPE) complain(incomplete(error));
  if (exit_code != 0) return exit_code;
  if (error == ETIMEDOUT) return 128 + stop_signal();
  return error == EPIPE ? kReaderGoneExit : 4;
}

}  // namespace resflow
