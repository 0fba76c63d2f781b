// Covers: io/pack/head io/pack/reader io/pack/walker io/pack/writer io/pictures/pack_source
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/pack/format.h"
#include "io/pack/head.h"
#include "io/pack/reader.h"
#include "io/pack/walker.h"
#include "io/pack/writer.h"
#include "io/pictures/dataset.h"
#include "io/pictures/pack_source.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using pack_format::Chunk;
using pack_format::head_checksum;
using pack_format::Header;
using pack_format::kBlockRecords;
using pack_format::Mark;
using pack_format::padded;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::read_text;
using testing::span_of;
using testing::TemporaryFolder;
using testing::write_text;

// Of any content: a pack does not look into its files.
std::string content(int i) {
  std::string text(static_cast<size_t>(100 + i * 37 % 500), '\0');
  std::mt19937 random(static_cast<unsigned>(i));
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

struct Listed {
  std::string name, data, error;
  bool operator==(const Listed&) const = default;
};

std::vector<Listed> read_in_order(const std::string& path, std::string* damage = nullptr) {
  PackWalker walker(path);
  std::vector<Listed> all;
  for (PackRecord record; walker.next(record);) {
    EXPECT_EQ(record.number, static_cast<int64_t>(all.size()));
    all.push_back({record.name, {record.data.begin(), record.data.end()}, record.error});
  }
  if (damage != nullptr) *damage = walker.damage();
  return all;
}

std::vector<Listed> read_by_index(const PackReader& reader) {
  std::vector<Listed> all;
  std::vector<uint8_t> buffer;
  for (int64_t i = 0; i < reader.size(); ++i) {
    Listed listed = {std::string(reader.name(i)), {}, {}};
    try {
      const auto data = reader.read(i, buffer);
      listed.data.assign(data.begin(), data.end());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
      listed.error = error.what();
    }
    all.push_back(listed);
  }
  return all;
}

// `count` records of three classes.
class PackTest : public ::testing::Test {
 protected:
  void make(int count, const PackInfo& info = {.classes = {"ant", "bee", "cat"}}) {
    PackWriter writer(path_, info);
    written_.clear();
    const int classes = static_cast<int>(info.classes.size());
    for (int i = 0; i < count; ++i) {
      written_.push_back({"class/" + std::to_string(i) + ".jpg", content(i), {}});
      writer.add(written_.back().name, classes == 0 ? -1 : i % classes, span_of(written_.back().data));
    }
    writer.commit();
    EXPECT_EQ(writer.bytes(), static_cast<int64_t>(std::filesystem::file_size(path_)));
  }

  Chunk chunk_at(size_t offset) const {
    Chunk chunk{};
    std::memcpy(&chunk, read_text(path_).data() + offset, sizeof chunk);
    return chunk;
  }
  // Where the chunk of the record begins.
  size_t offset_of(int record) const {
    PackWalker walker(path_);
    for (PackRecord found; walker.next(found);)
      if (found.number == record) return found.entry.offset;
    throw std::runtime_error("no such record");
  }
  void spoil(size_t offset, const std::string& into = {}) {
    std::string bytes = read_text(path_);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 0x40);
    write_text(into.empty() ? path_ : into, bytes);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "a.resflow-pack";
  std::vector<Listed> written_;
};

TEST_F(PackTest, GivesBackWhatWasPut) {
  make(40);
  EXPECT_TRUE(is_pack(path_));
  std::string damage = "unset";
  EXPECT_EQ(read_in_order(path_, &damage), written_);
  EXPECT_EQ(damage, "");
  const PackReader reader(path_);
  EXPECT_EQ(read_by_index(reader), written_);
  EXPECT_EQ(reader.damage(), "");
  EXPECT_THAT(reader.info().classes, ElementsAre("ant", "bee", "cat"));
  for (int64_t i = 0; i < reader.size(); ++i) {
    EXPECT_EQ(reader.label(i), i % 3);
    EXPECT_EQ(reader.bytes(i), static_cast<int64_t>(written_[static_cast<size_t>(i)].data.size()));
  }
}

TEST_F(PackTest, KeepsHowItWasMade) {
  const PackInfo info = {.classes = {}, .short_side = 256, .quality = 85};
  make(2, info);
  EXPECT_EQ(PackReader(path_).info(), info);
}

TEST_F(PackTest, TheSameBytesForTheSameRecords) {
  make(30);
  const std::string first = read_text(path_);
  make(30);
  EXPECT_EQ(read_text(path_), first);
}

TEST_F(PackTest, AnyNameComesBack) {
  const std::vector<std::string> names = {std::string("new\nline/\"quoted\",.jpg"),
                                          std::string("\xFF\xFE no UTF-8"),
                                          std::string("a\0b", 3),
                                          "../../etc/passwd",
                                          "/absolute",
                                          "",
                                          std::string(65535, 'x'),
                                          "same",
                                          "same"};
  PackWriter writer(path_, {});
  for (const std::string& name : names) writer.add(name, -1, span_of("data of " + name.substr(0, 9)));
  expect_error(ErrorKind::kData, {"65536 bytes"}, [&] { writer.add(std::string(65536, 'y'), -1, {}); });
  writer.commit();
  const auto all = read_in_order(path_);
  ASSERT_EQ(all.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(all[i].name, names[i]);
  EXPECT_EQ(read_by_index(PackReader(path_)), all);
  const auto samples = list_pictures(path_);
  EXPECT_EQ(samples[3].path, path_ + "/../../etc/passwd");
  std::vector<uint8_t> buffer;
  const auto data = read_sample(samples[3], buffer);
  EXPECT_EQ(std::string(data.begin(), data.end()), "data of ../../etc");
}

TEST_F(PackTest, EmptyPacksAndEmptyFiles) {
  make(0);
  EXPECT_TRUE(read_in_order(path_).empty());
  EXPECT_EQ(PackReader(path_).size(), 0);
  EXPECT_EQ(PackReader(path_).damage(), "");
  expect_error(ErrorKind::kData, {path_, "no picture"}, [&] { list_pictures(path_); });
  expect_error(ErrorKind::kData, {path_, "no picture"}, [&] { list_image_folder(path_); });
  PackWriter writer(path_, {});
  writer.add("", -1, {});
  writer.add("empty", -1, {});
  writer.commit();
  EXPECT_THAT(read_in_order(path_), ElementsAre(Listed{"", "", ""}, Listed{"empty", "", ""}));
  EXPECT_EQ(read_by_index(PackReader(path_)).size(), 2U);
}

TEST_F(PackTest, IndexOfSeveralBlocks) {
  PackWriter writer(path_, {.classes = {"only"}});
  const int count = static_cast<int>(kBlockRecords) * 2 + 5;
  for (int i = 0; i < count; ++i) writer.add(std::to_string(i), 0, span_of(std::to_string(i * 3)));
  writer.commit();
  const PackReader reader(path_);
  ASSERT_EQ(reader.size(), count);
  EXPECT_EQ(reader.damage(), "");
  std::vector<uint8_t> buffer;
  for (const int i : {0, 16383, 16384, 32767, 32768, count - 1}) {
    EXPECT_EQ(reader.name(i), std::to_string(i));
    const auto data = reader.read(i, buffer);
    EXPECT_EQ(std::string(data.begin(), data.end()), std::to_string(i * 3));
  }
  EXPECT_EQ(read_in_order(path_).size(), static_cast<size_t>(count));
}

// A picture larger than a block, and blocks that end in any place of a record.
TEST_F(PackTest, ReadsInLargeBlocks) {
  PackWriter writer(path_, {});
  std::vector<Listed> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back(
        {std::to_string(i), std::string(static_cast<size_t>(i == 7 ? 9'000'000 : 700'001 + i), 'a' + i % 26), {}});
    writer.add(all.back().name, -1, span_of(all.back().data));
  }
  writer.commit();
  testing::FaultyFiles files;
  files.fail("pread", 1'000'000, EIO);  // never; it counts
  PackSource source(path_, files);
  Picture picture;
  size_t i = 0;
  for (; source.next(picture); ++i) {
    ASSERT_LT(i, all.size());
    EXPECT_EQ(picture.name, path_ + "/" + all[i].name);
    EXPECT_EQ(picture.path, "");
    EXPECT_TRUE(std::equal(picture.bytes.begin(), picture.bytes.end(), all[i].data.begin(), all[i].data.end(),
                           [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }));
  }
  EXPECT_EQ(i, all.size());
  EXPECT_EQ(source.count(), 30);
  // 29 MB in blocks of 4 MiB, one of 9 MB, and the header.
  EXPECT_LE(files.calls("pread"), 14);
}

TEST_F(PackTest, OffsetsBeyond4GiB) {
  // Heads hold where they are: arithmetic on a chunk far out, without a file of that size.
  const uint64_t far = (uint64_t{5} << 40) + 8;
  Chunk chunk{.mark = Mark::kRecord,
              .count = 3,
              .bytes = uint64_t{6} << 30,
              .number = 1,
              .label = -1,
              .name_hash = 0,
              .payload = 0,
              .checksum = 0};
  chunk.checksum = head_checksum(chunk, far);
  EXPECT_TRUE(is_whole(chunk, far, far + sizeof chunk + chunk.bytes));
  EXPECT_FALSE(is_whole(chunk, far, far + sizeof chunk + chunk.bytes - 1));
  EXPECT_FALSE(is_whole(chunk, far & 0xFFFFFFFF, UINT64_MAX));
  EXPECT_FALSE(is_whole(chunk, UINT64_MAX - 40, UINT64_MAX));
}

// The same with a real file, most of it a hole: one record behind 5 GiB of nothing.
TEST_F(PackTest, ReadsARecordBeyond4GiB) {
  make(2);
  std::string bytes = read_text(path_);
  const size_t second = offset_of(1), records = bytes.size();
  const uint64_t far = uint64_t{5} << 30;
  // Record 1, its index block and the directory move behind the hole.
  Chunk record = chunk_at(second);
  const std::string name = written_[1].name, data = written_[1].data;
  std::string tail;
  const auto put = [&](Chunk chunk, const std::string& payload) {
    chunk.bytes = payload.size();
    if (chunk.mark != Mark::kRecord) chunk.payload = pack_format::checksum(payload.data(), payload.size());
    chunk.checksum = head_checksum(chunk, far + tail.size());
    tail += std::string(reinterpret_cast<const char*>(&chunk), sizeof chunk) + payload;
    tail.resize(padded(tail.size()));
  };
  put(record, name + data);
  const uint64_t index_at = far + tail.size();
  PackWalker walker(path_);
  PackRecord found;
  std::string entries, names;
  while (walker.next(found)) {
    if (found.number == 1) found.entry.offset = far;
    entries += std::string(reinterpret_cast<const char*>(&found.entry), sizeof found.entry);
    names += found.name;
  }
  const Chunk zero{};
  Chunk index = zero;
  index.mark = Mark::kIndex;
  index.count = 2;
  put(index, entries + names);
  Header header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.directory = far + tail.size();
  Chunk directory = zero;
  directory.mark = Mark::kDirectory;
  directory.count = 1;
  directory.number = 2;
  put(directory, std::string(reinterpret_cast<const char*>(&index_at), sizeof index_at));
  header.file_bytes = far + tail.size();
  header.checksum = head_checksum(header);
  bytes.resize(second);
  std::memcpy(bytes.data(), &header, sizeof header);
  ASSERT_LT(second, records);
  write_text(path_, bytes);
  {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(far));
    file.write(tail.data(), static_cast<std::streamsize>(tail.size()));
    ASSERT_TRUE(file.good());
  }
  const PackReader reader(path_);
  EXPECT_EQ(reader.damage(), "");
  EXPECT_EQ(read_by_index(reader), written_);
}

TEST_F(PackTest, ADamagedRecordCostsNoOther) {
  make(20);
  const std::string whole = read_text(path_);
  const size_t at = offset_of(7);
  const Chunk chunk = chunk_at(at);
  for (const size_t byte : {at + sizeof chunk + chunk.count, at + sizeof chunk + chunk.bytes - 1}) {
    write_text(path_, whole);
    spoil(byte);
    for (const auto& all : {read_in_order(path_), read_by_index(PackReader(path_))}) {
      ASSERT_EQ(all.size(), 20U);
      EXPECT_THAT(all[7].error, HasSubstr("damaged"));
      EXPECT_EQ(all[7].name, written_[7].name);
      for (size_t i = 0; i < all.size(); ++i)
        if (i != 7) {
          EXPECT_EQ(all[i], written_[i]);
        }
    }
    EXPECT_EQ(PackReader(path_).damage(), "");
    const auto samples = list_pictures(path_);
    std::vector<uint8_t> buffer;
    expect_error(ErrorKind::kData, {path_ + "/" + written_[7].name + ": damaged"},
                 [&] { read_sample(samples[7], buffer); });
  }
}

TEST_F(PackTest, ADamagedHeadCostsNoOther) {
  make(20);
  const std::string whole = read_text(path_);
  for (const size_t byte : {0, 5, 9, 17, 25, 33, 41}) {
    write_text(path_, whole);
    spoil(offset_of(7) + byte);
    std::string damage;
    const auto all = read_in_order(path_, &damage);
    ASSERT_EQ(all.size(), 20U) << byte;
    EXPECT_EQ(all[7].name, "record 7 of the pack");
    EXPECT_THAT(all[7].error, HasSubstr("damaged"));
    EXPECT_THAT(damage, HasSubstr("1 of 20 pictures are lost"));
    const auto indexed = read_by_index(PackReader(path_));
    ASSERT_EQ(indexed.size(), 20U);
    EXPECT_EQ(indexed[7].name, written_[7].name);
    EXPECT_THAT(indexed[7].error, HasSubstr("damaged"));
    for (size_t i = 0; i < all.size(); ++i) {
      if (i == 7) continue;
      EXPECT_EQ(all[i], written_[i]);
      EXPECT_EQ(indexed[i], written_[i]);
    }
  }
}

TEST_F(PackTest, ADamagedNameIsSaid) {
  make(5);
  spoil(offset_of(2) + sizeof(Chunk));
  const auto all = read_in_order(path_);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[2].name, "record 2 of the pack");
  EXPECT_THAT(all[2].error, HasSubstr("its name"));
}

// What lies within a picture is never taken for a record of the pack, even where that is damaged before it.
TEST_F(PackTest, APackWithinAPackIsAPicture) {
  make(6);
  const std::string inner = read_text(path_);
  PackWriter writer(path_, {});
  for (int i = 0; i < 3; ++i) writer.add(std::to_string(i), -1, span_of(inner));
  writer.commit();
  EXPECT_EQ(read_in_order(path_).size(), 3U);
  spoil(offset_of(1));
  const auto all = read_in_order(path_);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].data, inner);
}

TEST_F(PackTest, ADamagedIndexIsSaidAndTheRecordsAreFound) {
  make(30);
  const std::string whole = read_text(path_);
  Header header{};
  std::memcpy(&header, whole.data(), sizeof header);
  const size_t directory = header.directory;
  // The index block lies behind the last record; the directory is last.
  const Chunk last = chunk_at(offset_of(29));
  const size_t index = padded(offset_of(29) + sizeof last + last.bytes);
  for (const size_t byte : {index + 3, index + 60, directory - 9, directory + 2, directory + 49}) {
    spoil(byte, folder_ / "spoilt");
    const PackReader reader(folder_ / "spoilt");
    EXPECT_THAT(reader.damage(), HasSubstr("damaged")) << byte;
    EXPECT_EQ(read_by_index(reader), written_);
    EXPECT_EQ(read_in_order(folder_ / "spoilt"), written_);
  }
}

TEST_F(PackTest, CutOffAnywhereItGivesWhatIsThere) {
  make(12);
  const std::string whole = read_text(path_), cut = folder_ / "cut";
  constexpr size_t kClassesEnd = sizeof(Header) + 3 * (sizeof(uint32_t) + 3);
  std::vector<size_t> ends;  // of each record
  for (int i = 0; i < 12; ++i) {
    const size_t at = offset_of(i);
    ends.push_back(at + sizeof(Chunk) + chunk_at(at).bytes);
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    write_text(cut, whole.substr(0, size));
    const size_t there = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin());
    if (size < kClassesEnd) {
      expect_error(ErrorKind::kData, {cut}, [&] { PackWalker walker(cut); });
      expect_error(ErrorKind::kData, {cut}, [&] { PackReader reader(cut); });
      continue;
    }
    std::string damage;
    ASSERT_EQ(read_in_order(cut, &damage), std::vector<Listed>(written_.begin(), written_.begin() + there)) << size;
    const PackReader reader(cut);
    ASSERT_EQ(reader.size(), static_cast<int64_t>(there)) << size;
    EXPECT_NE(reader.damage(), "");
    if (there == 0) {
      expect_error(ErrorKind::kData, {cut, "is cut off"}, [&] { list_pictures(cut); });
      expect_error(ErrorKind::kData, {cut, "is cut off"}, [&] { list_image_folder(cut); });
    }
    if (there < 12) {
      EXPECT_THAT(damage, HasSubstr(std::to_string(there) + " of 12 pictures")) << size;
      PackSource source(cut);
      Picture picture;
      for (size_t i = 0; i < there; ++i) ASSERT_TRUE(source.next(picture));
      expect_error(ErrorKind::kData, {cut, "is cut off"}, [&] { source.next(picture); });
    }
  }
}

// Whatever byte is wrong: no picture comes with other bytes than it had, and nothing but Error{kData} is thrown.
TEST_F(PackTest, NoDamageGoesUnnoticed) {
  make(6);
  const std::string whole = read_text(path_), spoilt = folder_ / "spoilt";
  std::set<std::string> known;
  for (const Listed& listed : written_) known.insert(listed.name + '\n' + listed.data);
  for (size_t at = 0; at < whole.size(); ++at) {
    spoil(at, spoilt);
    try {
      for (const auto& all : {read_in_order(spoilt), read_by_index(PackReader(spoilt))})
        for (const Listed& listed : all)
          if (listed.error.empty()) {
            ASSERT_TRUE(known.contains(listed.name + '\n' + listed.data)) << at;
          }
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::kData) << at << " " << error.what();
      ASSERT_LT(at, offset_of(0)) << error.what();
    }
  }
}

TEST_F(PackTest, RefusesWhatIsNone) {
  write_text(folder_ / "text", "no pack at all");
  write_text(folder_ / "empty", "");
  make(3);
  std::string bytes = read_text(path_);
  Header header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  const auto with = [&](auto change) {
    Header changed = header;
    change(changed);
    changed.checksum = head_checksum(changed);
    std::memcpy(bytes.data(), &changed, sizeof changed);
    write_text(path_, bytes);
  };
  for (const char* name : {"text", "empty"}) {
    EXPECT_FALSE(is_pack(folder_ / name));
    expect_error(ErrorKind::kData, {folder_ / name, "no pack"}, [&] { PackReader reader(folder_ / name); });
  }
  EXPECT_FALSE(is_pack(folder_ / "absent"));
  EXPECT_FALSE(is_pack(folder_.path().string()));
  with([](Header& h) { h.version = 2; });
  expect_error(ErrorKind::kData, {path_, "version 2", "reads 1"}, [&] { PackReader reader(path_); });
  with([](Header& h) { h.classes = 4; });
  expect_error(ErrorKind::kData, {path_}, [&] { PackReader reader(path_); });
  with([](Header& h) { h.class_bytes = UINT32_MAX; });
  expect_error(ErrorKind::kData, {path_}, [&] { PackReader reader(path_); });
  // More records than there are, and a directory beyond the end: what is there is read.
  with([](Header& h) { h.records = uint64_t{1} << 60; });
  EXPECT_EQ(read_in_order(path_), written_);
  EXPECT_EQ(read_by_index(PackReader(path_)), written_);
  EXPECT_NE(PackReader(path_).damage(), "");
  EXPECT_EQ(PackSource(path_).count(), std::nullopt);
  with([](Header& h) { h.records = UINT64_MAX; });
  EXPECT_EQ(PackSource(path_).count(), std::nullopt);
  EXPECT_EQ(read_in_order(path_), written_);
  with([](Header& h) { h.directory = UINT64_MAX - 7; });
  EXPECT_EQ(read_by_index(PackReader(path_)), written_);
}

TEST_F(PackTest, AFullDiskLeavesNothing) {
  testing::FaultyFiles files;
  files.fail("write", 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {path_, "disk is full", "after 0 bytes"}, [&] {
    PackWriter writer(path_, {}, 0, files);
    writer.add("a", -1, span_of(std::string(3'000'000, 'x')));
    writer.commit();
  });
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  files = {};
  files.set_free_bytes(100);
  files.fail("allocate", 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {"1000 bytes needed, 100 free"}, [&] { PackWriter writer(path_, {}, 1000, files); });
  {
    PackWriter dropped(path_, {});
    dropped.add("a", -1, span_of("b"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(PackTest, ShrinkingMeanwhileIsSaid) {
  make(300);
  testing::FaultyFiles files;
  const PackReader reader(path_, files);
  files.shrink_to(20'000);
  std::vector<uint8_t> buffer;
  expect_error(ErrorKind::kData, {path_, "shorter"}, [&] { reader.read(299, buffer); });
  PackWalker walker(path_);
  PackRecord record;
  EXPECT_TRUE(walker.next(record));
}

TEST_F(PackTest, ListsAsAFolderDoes) {
  make(9);
  const Dataset dataset = list_image_folder(path_);
  EXPECT_THAT(dataset.classes, ElementsAre("ant", "bee", "cat"));
  EXPECT_TRUE(dataset.empty_classes.empty());
  ASSERT_EQ(dataset.samples.size(), 9U);
  std::vector<uint8_t> buffer;
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(dataset.samples[i].path, path_ + "/" + written_[i].name);
    EXPECT_EQ(dataset.samples[i].label, static_cast<int>(i % 3));
    const auto data = read_sample(dataset.samples[i], buffer);
    EXPECT_EQ(std::string(data.begin(), data.end()), written_[i].data);
  }
  for (const Sample& sample : list_pictures(path_)) EXPECT_EQ(sample.label, -1);
}

TEST_F(PackTest, AClassWithoutAPictureIsNone) {
  PackWriter writer(path_, {.classes = {"ant", "bee", "cat"}});
  writer.add("x", 2, span_of("1"));
  writer.add("y", 0, span_of("2"));
  expect_error(ErrorKind::kInternal, {"label 3"}, [&] { writer.add("z", 3, {}); });
  expect_error(ErrorKind::kInternal, {"label -1"}, [&] { writer.add("z", -1, {}); });
  writer.commit();
  const Dataset dataset = list_image_folder(path_);
  EXPECT_THAT(dataset.classes, ElementsAre("ant", "cat"));
  EXPECT_THAT(dataset.empty_classes, ElementsAre("bee"));
  EXPECT_EQ(dataset.samples[0].label, 1);
  EXPECT_EQ(dataset.samples[1].label, 0);
}

TEST_F(PackTest, WithoutLabelsItIsNoTrainingData) {
  make(3, {});
  expect_error(ErrorKind::kData, {path_, "no labels"}, [&] { list_image_folder(path_); });
  EXPECT_EQ(list_pictures(path_).size(), 3U);
}

}  // namespace
}  // namespace resflow
