// What the program says beside its results: sentences on standard error, durations and sizes for people.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
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

// `text` as the new content of the file at `path`, whole or not at all. Throws as AtomicFile does (io/file.h).
void replace_text_file(const std::string& path, const std::string& text);

std::string format_duration(double seconds);  // "0:07", "12:05", "3:00:41"
std::string format_bytes(double bytes);       // "512 B", "1.5 KB", "1.80 GB", powers of 1000
std::string format_count(int64_t n);          // "11,689,512"

// "1 picture", "3 pictures"
std::string plural(int64_t n, const std::string& singular, const std::string& plural_form);

}  // namespace resflow
