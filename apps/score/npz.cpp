#include "apps/score/npz.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <system_error>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/formats/npy_file.h"
#include "io/formats/zip_archive.h"
#include "io/formats/zip_writer.h"

namespace resflow {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr size_t kShownOfLongName = 64;

void append_u32(uint32_t value, std::string& bytes) {
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
}

uint32_t u32_of(std::string_view bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

struct Record {
  int64_t row = 0;
  std::string name, error;
};

void for_each_record(const std::string& path, const std::function<void(const Record&)>& take) {
  SequentialFile file(path);
  Record record;
  for (;; ++record.row) {
    const auto head = file.next(8);
    if (!head) return;
    const size_t name_bytes = u32_of(head->substr(0, 4)), error_bytes = u32_of(head->substr(4));
    const auto texts = name_bytes + error_bytes == 0 ? std::string_view() : file.next(name_bytes + error_bytes);
    if (!texts) throw data_error("{}: ends within a row", path);
    record.name = texts->substr(0, name_bytes);
    record.error = texts->substr(name_bytes);
    take(record);
  }
}

// As Python decodes UTF-8 with surrogateescape: a byte that is no UTF-8 becomes U+DC00 plus the byte.
void append_code_points(std::string_view text, std::vector<uint32_t>& points) {
  while (!text.empty()) {
    const Character character = next_character(text);
    points.push_back(character.valid ? character.point : 0xDC00 + character.point);
  }
}

size_t code_points(std::string_view text) {
  std::vector<uint32_t> points;
  append_code_points(text, points);
  return points.size();
}

// An array of str, written one element after another. All elements are as wide as the widest.
class TextArray {
 public:
  void count(std::string_view text) {
    ++rows_;
    width_ = std::max(width_, code_points(text));
  }
  std::string header() const { return npy_header(fmt::format("<U{}", width_), rows_); }
  uint64_t bytes() const { return kNpyHeaderBytes + static_cast<uint64_t>(rows_) * width_ * 4; }

  void append(std::string_view text, std::string& bytes) {
    points_.clear();
    append_code_points(text, points_);
    points_.resize(width_);
    bytes.append(reinterpret_cast<const char*>(points_.data()), points_.size() * 4);
  }

 private:
  int64_t rows_ = 0;
  size_t width_ = 1;  // numpy reads no arrays of str whose width is 0
  std::vector<uint32_t> points_;
};

// Gathers small pieces, so that the file is written in large ones.
class Gathered {
 public:
  explicit Gathered(const ZipStream::Sink& sink) : sink_(sink) {}
  std::string& text() { return text_; }
  void give(size_t at_least = kPiece) {
    if (text_.size() < at_least) return;
    sink_(bytes_of(text_));
    text_.clear();
  }

 private:
  const ZipStream::Sink& sink_;
  std::string text_;
};

ZipStream text_entry(const std::string& name, TextArray& array,
                     std::function<void(const std::function<void(std::string_view)>&)> for_each) {
  return {.name = name + ".npy",
          .bytes = array.bytes(),
          .write = [&array, for_each = std::move(for_each)](const auto& sink) {
            Gathered out(sink);
            out.text() = array.header();
            for_each([&](std::string_view text) {
              array.append(text, out.text());
              out.give();
            });
            out.give(0);
          }};
}

// The bytes from which append_code_points made these code points; nothing for code points that it never makes.
std::optional<std::string> bytes_of_code_points(std::string_view points) {
  std::string bytes;
  for (size_t i = 0; i + 4 <= points.size(); i += 4) {
    const uint32_t point = u32_of(points.substr(i, 4));
    if (point == 0) {  // the end of a text that is shorter than the array is wide
      if (points.find_first_not_of('\0', i) != std::string_view::npos) return std::nullopt;
      break;
    }
    if (point >= 0xDC80 && point <= 0xDCFF) {
      bytes += static_cast<char>(point - 0xDC00);
      continue;
    }
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
    append_utf8(point, bytes);
  }
  return bytes;
}

}  // namespace

NpzParts npz_parts(const std::string& out) { return {.scores = out + ".scores", .names = out + ".names"}; }

std::string npz_name_record(std::string_view name, std::string_view error) {
  if (const std::vector<size_t> starts = character_starts(name); starts.size() > kMostNpzLetters + 1)
    name = name.substr(0, starts[kShownOfLongName]);
  std::string bytes;
  append_u32(static_cast<uint32_t>(name.size()), bytes);
  append_u32(static_cast<uint32_t>(error.size()), bytes);
  bytes += name;
  bytes += error;
  return bytes;
}

void write_npz(const NpzParts& parts, const std::vector<std::string>& classes, const std::string& path,
               FileSystem& files) {
  TextArray names, class_names, errors;
  std::string error_rows;
  int64_t rows = 0, broken = 0;
  for_each_record(parts.names, [&](const Record& record) {
    ++rows;
    names.count(record.name);
    if (record.error.empty()) return;
    ++broken;
    errors.count(record.error);
    error_rows.append(reinterpret_cast<const char*>(&record.row), sizeof record.row);
  });
  for (const std::string& name : classes) class_names.count(name);
  error_rows.insert(0, npy_header("<i8", broken));

  const int64_t score_bytes = InputFile(parts.scores).size();
  if (score_bytes != kNpyHeaderBytes + rows * static_cast<int64_t>(classes.size()) * 4)
    throw data_error("{} and {} have not as many rows", parts.scores, parts.names);
  write_zip(
      std::vector<ZipStream>{
          {.name = "scores.npy",
           .bytes = static_cast<uint64_t>(score_bytes),
           .write =
               [&](const ZipStream::Sink& sink) {
                 const InputFile file(parts.scores);
                 std::vector<uint8_t> buffer(kPiece);
                 for (int64_t at = 0; at < score_bytes;) {
                   const auto piece =
                       std::span(buffer).first(static_cast<size_t>(std::min<int64_t>(kPiece, score_bytes - at)));
                   file.read(at, piece);
                   sink(piece);
                   at += static_cast<int64_t>(piece.size());
                 }
               }},
          text_entry("names", names,
                     [&](const auto& take) {
                       for_each_record(parts.names, [&](const Record& record) { take(record.name); });
                     }),
          text_entry("classes", class_names,
                     [&](const auto& take) {
                       for (const std::string& name : classes) take(name);
                     }),
          {.name = "error_rows.npy",
           .bytes = error_rows.size(),
           .write = [&](const ZipStream::Sink& sink) { sink(bytes_of(error_rows)); }},
          text_entry("errors", errors,
                     [&](const auto& take) {
                       for_each_record(parts.names, [&](const Record& record) {
                         if (!record.error.empty()) take(record.error);
                       });
                     }),
      },
      path, files);
}

// An array of the file, read row by row.
struct NpzFile::Column {
  Column(const std::string& path, const ZipArchive& zip, const std::string& name, size_t piece)
      : path(path), bytes(open(path, zip, name, piece)) {
    const auto header = bytes.next(static_cast<size_t>(kNpyHeaderBytes));
    const std::optional<NpyShape> found = header ? parse_npy_header(*header) : std::nullopt;
    if (!found) throw data_error("{}: {} is not as resflow writes it", path, name);
    shape = *found;
    row_bytes = static_cast<size_t>(shape.columns.value_or(1));
    row_bytes *= element_bytes(shape.descr, path);
  }

  static SequentialFile open(const std::string& path, const ZipArchive& zip, const std::string& name, size_t piece) {
    const ZipEntry* entry = zip.find(name + ".npy");
    if (entry == nullptr || !entry->stored) throw data_error("{}: holds no {} as resflow writes it", path, name);
    return {path, static_cast<int64_t>(entry->offset), static_cast<int64_t>(entry->bytes), piece};
  }

  static size_t element_bytes(const std::string& descr, const std::string& path) {
    if (descr == "<f4") return 4;
    if (descr == "<i8") return 8;
    size_t width = 0;
    const auto [end, error] =
        std::from_chars(descr.data() + std::min<size_t>(descr.size(), 2), descr.data() + descr.size(), width);
    if (!descr.starts_with("<U") || error != std::errc() || end != descr.data() + descr.size() || width > kPiece)
      throw data_error("{}: holds an array of {}, which resflow does not write", path, printable(descr));
    return 4 * width;
  }

  std::string_view row() {
    const auto row = bytes.next(row_bytes);
    if (!row) throw data_error("{}: has too few rows", path);
    return *row;
  }

  std::string text() {
    std::optional<std::string> found = bytes_of_code_points(row());
    if (!found) throw data_error("{}: holds a text that is none", path);
    return *std::move(found);
  }

  std::string path;
  SequentialFile bytes;
  NpyShape shape;
  size_t row_bytes = 0;
};

NpzFile::NpzFile(const std::string& path, size_t piece) {
  const ZipArchive zip(path);
  const auto column = [&](const char* name) { return std::make_unique<Column>(path, zip, name, piece); };
  scores_ = column("scores");
  names_ = column("names");
  errors_ = column("errors");
  error_rows_ = column("error_rows");
  const auto class_names = column("classes");
  for (int64_t i = 0; i < class_names->shape.rows; ++i) classes_.push_back(class_names->text());
  if (scores_->shape.columns != class_names->shape.rows || scores_->shape.descr != "<f4" ||
      scores_->shape.rows != names_->shape.rows || error_rows_->shape.rows != errors_->shape.rows)
    throw data_error("{}: its arrays do not fit each other", path);
  next_error();
}

NpzFile::~NpzFile() = default;

void NpzFile::next_error() {
  broken_row_ = -1;
  if (errors_seen_++ < errors_->shape.rows) std::memcpy(&broken_row_, error_rows_->row().data(), sizeof broken_row_);
}

bool NpzFile::next(ScoredPicture& picture) {
  if (at_ == scores_->shape.rows) return false;
  name_ = names_->text();
  const std::string_view scores = scores_->row();
  error_.clear();
  probabilities_.clear();
  if (at_ == broken_row_) {
    error_ = errors_->text();
    next_error();
  } else {
    for (size_t i = 0; i < classes_.size(); ++i) {
      float score = 0;
      std::memcpy(&score, scores.data() + i * sizeof score, sizeof score);
      probabilities_.push_back(score);
    }
  }
  picture = {.name = name_, .error = error_, .probabilities = probabilities_, .sample = at_++};
  return true;
}

}  // namespace resflow
