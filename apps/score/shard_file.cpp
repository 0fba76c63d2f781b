#include "apps/score/shard_file.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "apps/score/fingerprint_json.h"
#include "io/core/base64.h"
#include "io/core/error.h"
#include "io/core/json_number.h"
#include "io/files/xxh3.h"

namespace resflow {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic = "rfshard1", kUnorderedMagic = "rfshard2";
constexpr int64_t kEnd = 16;  // bytes behind the footer: its length, and the magic
constexpr int64_t kMostFooter = int64_t{64} << 20;
constexpr int64_t kReadAhead = int64_t{64} << 10;

// LEB128: seven bits a byte, the lowest first, the eighth set where more follow.
void write_leb128(uint64_t value, GrowingFile& file) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  bytes += static_cast<char>(value);
  file.write(bytes);
}

uint64_t place_and_outcome(int64_t pictures, const ScoredPicture& picture) {
  return static_cast<uint64_t>(pictures) * 2 + (picture.error.empty() ? 0 : 1);
}

// A row is twice the number of pictures that are listed between the row before and this one, plus one if the picture is
// broken.
class ShardSink : public RowSink {
 public:
  ShardSink(GrowingFile& file, int64_t before) : file_(file), last_(before - 1) {}

  void add(const ScoredPicture& picture) override {
    write_leb128(place_and_outcome(picture.place.index - last_ - 1, picture), file_);
    last_ = picture.place.index;
  }

 private:
  GrowingFile& file_;
  int64_t last_;
};

// A row is twice the picture's index in the listing, plus one if the picture is broken.
class UnorderedShardSink : public RowSink {
 public:
  explicit UnorderedShardSink(GrowingFile& file) : file_(file) {}

  void add(const ScoredPicture& picture) override {
    write_leb128(place_and_outcome(picture.place.index, picture), file_);
  }

 private:
  GrowingFile& file_;
};

ShardFooter parse_footer(const std::string& text) {
  const Json json = Json::parse(text);
  ShardFooter footer;
  footer.shard = {.number = int_of_json(json.at("shard")), .of = int_of_json(json.at("of"))};
  footer.fingerprint = fingerprint_of_json(json.at("facts"));
  footer.listed.pictures = int64_of_json(json.at("pictures"));
  footer.listed.names = hash_of_hex(json.at("names").get<std::string>());
  footer.rows = int64_of_json(json.at("rows"));
  footer.failed = int64_of_json(json.at("failed"));
  for (const auto& [role, file] : json.at("files").items()) {
    ShardFooter::File& f = footer.files[name_of_stored(role)];
    f.path = bytes_of_json(file.at("path"));
    if (!file.at("bytes").is_null()) f.bytes = int64_of_json(file.at("bytes"));
  }
  const Shard& shard = footer.shard;
  if (shard.number < 1 || shard.number > shard.of || footer.rows < 0 || footer.rows > footer.listed.pictures ||
      !footer.files.contains("out"))
    throw data_error("its numbers contradict each other");
  return footer;
}

}  // namespace

std::string shard_path(const std::string& out) { return out + ".shard"; }

std::unique_ptr<RowSink> make_shard_sink(GrowingFile& file, int64_t before) {
  return std::make_unique<ShardSink>(file, before);
}

std::unique_ptr<RowSink> make_unordered_shard_sink(GrowingFile& file) {
  return std::make_unique<UnorderedShardSink>(file);
}

void write_shard_footer(GrowingFile& file, const ShardFooter& footer, bool unordered) {
  Json json = {{"shard", footer.shard.number},
               {"of", footer.shard.of},
               {"facts", json_of_fingerprint(footer.fingerprint)},
               {"pictures", footer.listed.pictures},
               {"names", hex(footer.listed.names)},
               {"rows", footer.rows},
               {"failed", footer.failed},
               {"files", Json::object()}};
  for (const auto& [role, f] : footer.files) {
    Json& file_json = json["files"][stored_name(role)];
    file_json = {{"path", json_of_bytes(f.path)}, {"bytes", nullptr}};
    if (f.bytes) file_json["bytes"] = *f.bytes;
  }
  std::string text = json.dump(1) + "\n";
  const uint64_t bytes = text.size();
  text.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  text += unordered ? kUnorderedMagic : kMagic;
  file.write(text);
}

ShardFile::ShardFile(const std::string& path, FileSystem& files) : path_(path), files_(&files) {
  const InputFile file(path, files);
  std::string end(static_cast<size_t>(kEnd), '\0');
  const auto as_bytes = [](std::string& text) {
    return std::span<uint8_t>(reinterpret_cast<uint8_t*>(text.data()), text.size());
  };
  int64_t footer_bytes = 0;
  if (file.size() >= kEnd) {
    file.read(file.size() - kEnd, as_bytes(end));
    std::memcpy(&footer_bytes, end.data(), sizeof footer_bytes);
  }
  unordered_ = end.ends_with(kUnorderedMagic);
  if ((!unordered_ && !end.ends_with(kMagic)) || footer_bytes < 0 ||
      footer_bytes > std::min(kMostFooter, file.size() - kEnd))
    throw data_error("{}: is not what is written beside the rows of a shard, or not whole", path_);
  places_ = file.size() - kEnd - footer_bytes;
  std::string text(static_cast<size_t>(footer_bytes), '\0');
  file.read(places_, as_bytes(text));
  try {
    footer_ = parse_footer(text);
  } catch (const Error& e) {
    throw data_error("{}: is damaged: {}", path_, e.marked());
  } catch (const nlohmann::json::exception& e) {
    throw data_error("{}: is damaged: {}", path_, e.what());
  }
  // Each row takes a byte or more: no memory is taken for rows that cannot be there.
  if (footer_.rows > places_)
    throw data_error("{}: is damaged: says {} rows in {} bytes", path_, footer_.rows, places_);
}

uint8_t ShardFile::byte() {
  if (at_ == buffer_.size()) {
    if (read_ == places_) throw data_error("{}: is damaged: it ends within a row", path_);
    buffer_.resize(static_cast<size_t>(std::min(kReadAhead, places_ - read_)));
    InputFile(path_, *files_).read(read_, buffer_);
    read_ += static_cast<int64_t>(buffer_.size());
    at_ = 0;
  }
  return buffer_[at_++];
}

std::optional<ShardFile::Row> ShardFile::next() {
  if (at_ == buffer_.size() && read_ == places_) {
    if (rows_ != footer_.rows) throw data_error("{}: is damaged: has {} rows, says {}", path_, rows_, footer_.rows);
    return std::nullopt;
  }
  uint64_t value = 0;
  int shift = 0;
  for (uint8_t b = 0x80; (b & 0x80U) != 0; shift += 7) {
    b = byte();
    if (shift > 56) throw data_error("{}: is damaged at row {}", path_, rows_);
    value |= static_cast<uint64_t>(b & 0x7FU) << shift;
  }
  index_ = static_cast<int64_t>(value / 2) + (unordered_ ? 0 : index_ + 1);
  ++rows_;
  if (index_ >= footer_.listed.pictures) throw data_error("{}: is damaged at row {}", path_, rows_ - 1);
  return Row{.index = index_, .broken = value % 2 != 0};
}

}  // namespace resflow
