#include "io/files/csv.h"

#include <cerrno>
#include <utility>

#include "io/core/error.h"

namespace resflow {

std::string csv_field(std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(field);
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

CsvWriter::CsvWriter(const std::string& path) : name_(path == "-" ? "standard output" : path) {
  file_ = path == "-" ? stdout : std::fopen(path.c_str(), "we");
  if (file_ == nullptr) throw usage_error("{}: cannot be written: {}", name_, reason_of(errno));
}

CsvWriter::~CsvWriter() {
  if (file_ == stdout) std::fflush(file_);
  if (file_ != nullptr && file_ != stdout) std::fclose(file_);
}

void CsvWriter::fail() { throw system_error("{}: cannot be written: {}", name_, reason_of(errno)); }

void CsvWriter::row(std::span<const std::string> fields) {
  line_.clear();
  for (const auto& field : fields) {
    if (&field != fields.data()) line_ += ',';
    line_ += csv_field(field);
  }
  // A row of one empty field would read as no row at all.
  if (line_.empty()) line_ = "\"\"";
  line_ += '\n';
  if (std::fwrite(line_.data(), 1, line_.size(), file_) != line_.size()) fail();
}

void CsvWriter::flush() {
  if (std::fflush(file_) != 0) fail();
}

void CsvWriter::close() {
  std::FILE* file = std::exchange(file_, nullptr);
  if (file == nullptr) return;
  if ((file == stdout ? std::fflush(file) : std::fclose(file)) != 0) fail();
}

}  // namespace resflow
