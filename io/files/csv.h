// Tables as text that every spreadsheet reads: RFC 4180's quoting, one line feed a row.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace resflow {

// The field as it stands in a row: in quotes where it holds a comma, a quote or a line break.
std::string csv_field(std::string_view field);

// Writes rows to a file, whose former content goes, or to standard output.
class CsvWriter {
 public:
  // "-" is standard output. Throws Error{kUsage} where the file cannot be made.
  explicit CsvWriter(const std::string& path);
  ~CsvWriter();
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  // Throws Error{kSystem} where the disk is full or the reader is gone.
  void row(std::span<const std::string> fields);
  void row(std::initializer_list<std::string> fields) { row(std::span(fields.begin(), fields.size())); }

  void flush();  // Throws as row does.

  // Throws as row does. The destructor closes too, but cannot tell.
  void close();

 private:
  [[noreturn]] void fail();

  std::string name_, line_;
  std::FILE* file_ = nullptr;
};

}  // namespace resflow
