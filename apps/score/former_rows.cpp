#include "apps/score/former_rows.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apps/score/npz.h"
#include "apps/score/shard_file.h"
#include "io/core/base64.h"
#include "io/core/error.h"
#include "io/formats/npy_file.h"

namespace resflow {
namespace {

// The fields of a row of CSV (RFC 4180), first and last, without their quotes.
struct Ends {
  std::string first, last;
};

Ends ends_of(std::string_view row) {
  Ends ends;
  bool quoted = false, in_first = true;
  for (size_t i = 0; i < row.size() && (quoted || row[i] != '\n'); ++i) {
    const char c = row[i];
    if (c == '"' && quoted && i + 1 < row.size() && row[i + 1] == '"') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
      continue;
    } else if (c == ',' && !quoted) {
      in_first = false;
      ends.last.clear();
      continue;
    }
    (in_first ? ends.first : ends.last) += c;
  }
  return ends;
}

}  // namespace

FormerRows::FormerRows(const FormerFiles& files) : files_(files) {
  if (files_.kind == FormerKind::kNpz) {
    npz_ = std::make_unique<NpzFile>(files_.out);
  } else {
    text_ = std::make_unique<SequentialFile>(files_.out);
    if (files_.kind == FormerKind::kCsv && text_->next_row(true) != files_.header)
      throw usage_error("{}: has other columns than would be written now: give the same options as before", files_.out);
  }
  if (files_.shard) shard_ = std::make_unique<ShardFile>(shard_path(files_.out));
  if (files_.embeddings.empty()) return;
  embeddings_ = std::make_unique<SequentialFile>(files_.embeddings);
  const auto header = embeddings_->next(static_cast<size_t>(kNpyHeaderBytes));
  const std::optional<NpyShape> shape = header ? parse_npy_header(*header) : std::nullopt;
  if (!shape || !shape->columns || npy_header(shape->descr, 0, shape->columns) != files_.embeddings_header)
    throw usage_error("{}: has other columns than would be written now: give the same options as before",
                      files_.embeddings);
  embeddings_bytes_ = static_cast<size_t>(*shape->columns) * (shape->descr == "<f2" ? 2 : 4);
}

FormerRows::~FormerRows() = default;

void FormerRows::read_csv(std::string_view text) {
  Ends ends = ends_of(text);
  name_ = std::move(ends.first);
  error_ = std::move(ends.last);
}

void FormerRows::read_jsonl(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    name_ = json.contains("path_base64") ? from_base64(json.at("path_base64").get<std::string>())
                                         : json.at("path").get<std::string>();
    error_ = json.value("error", "");
  } catch (const nlohmann::json::exception&) {
    throw data_error("{}: row {} is not as resflow writes it", files_.out, row_ + 1);
  }
}

bool FormerRows::next_text(FormerRow& row) {
  const bool csv = files_.kind == FormerKind::kCsv;
  const auto text = text_->next_row(csv);
  if (!text) return false;
  if (csv)
    read_csv(*text);
  else
    read_jsonl(*text);
  row.text = *text;
  row.picture = {.name = name_, .error = error_};
  return true;
}

bool FormerRows::next(FormerRow& row) {
  row = {};
  const bool there = npz_ ? npz_->next(row.picture) : next_text(row);
  if (!there) return false;
  if (shard_) {
    const std::optional<ShardFile::Row> place = shard_->next();
    if (!place) throw data_error("{}: has fewer rows than {}", shard_path(files_.out), files_.out);
    row.picture.place.index = place->index;
  }
  if (embeddings_) {
    const auto bytes = embeddings_->next(embeddings_bytes_);
    if (!bytes) throw data_error("{}: has fewer rows than {}", files_.embeddings, files_.out);
    row.embeddings = *bytes;
  }
  ++row_;
  return true;
}

void FormerRows::skip(int64_t rows) {
  FormerRow row;
  for (int64_t i = 0; i < rows; ++i)
    if (!next(row)) throw data_error("{}: has {} rows, {} of them had been kept", files_.out, i, rows);
}

int64_t count_errors(const FormerFiles& files) {
  FormerRows rows(files);
  int64_t errors = 0;
  for (FormerRow row; rows.next(row);) errors += row.picture.error.empty() ? 0 : 1;
  return errors;
}

}  // namespace resflow
