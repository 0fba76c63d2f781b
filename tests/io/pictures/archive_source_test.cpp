#include "io/pictures/archive_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "tests/io/expect_error.h"
#include "tests/io/live_bytes.h"
#include "tests/io/pictures/listed.h"
#include "tests/io/pictures/made_archive.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::Member;
using testing::names_of;
using testing::pictures_before_error;
using testing::pictures_of;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_archive;
using testing::write_text;

std::string noise_bytes(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(count, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

std::string text(const Picture& picture) { return {picture.bytes.begin(), picture.bytes.end()}; }

std::vector<Picture> pictures_in(const std::string& path, int64_t max_member = kMaxMember) {
  ArchiveSource source(path, max_member);
  return pictures_of(source);
}

// Pictures of all sizes among other members, as WebDataset has them.
std::vector<Member> members() {
  std::vector<Member> all = {{"train/", "", AE_IFDIR}};
  const std::vector<size_t> sizes = {0, 1, 511, 512, 513, 70'000, 2'500'000, 40, 1000};
  for (size_t i = 0; i < sizes.size(); ++i) {
    const std::string name = "train/0" + std::to_string(i);
    all.push_back({name + (i % 2 == 0 ? ".jpg" : ".PNG"), noise_bytes(sizes[i], static_cast<unsigned>(i))});
    all.push_back({name + ".cls", std::to_string(i)});
  }
  return all;
}

void expect_members(const std::vector<Picture>& pictures, const std::string& path) {
  std::vector<Member> wanted;
  for (const Member& member : members())
    if (member.name.ends_with(".jpg") || member.name.ends_with(".PNG")) wanted.push_back(member);
  ASSERT_EQ(pictures.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(pictures[i].name, path + "/" + wanted[i].name);
    EXPECT_EQ(pictures[i].path, "");
    EXPECT_EQ(pictures[i].error, "");
    EXPECT_TRUE(text(pictures[i]) == wanted[i].bytes) << wanted[i].name;
  }
}

TEST(ArchiveSource, GivesThePicturesOfEveryKindOfArchive) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, int>> kinds = {
      {"plain.tar", ARCHIVE_FILTER_NONE}, {"x.tar.gz", ARCHIVE_FILTER_GZIP},   {"x.tar.zst", ARCHIVE_FILTER_ZSTD},
      {"x.tar.xz", ARCHIVE_FILTER_XZ},    {"x.tar.bz2", ARCHIVE_FILTER_BZIP2}, {"x.zip", ARCHIVE_FILTER_NONE}};
  for (const auto& [name, filter] : kinds) {
    SCOPED_TRACE(name);
    const std::string path = folder / name;
    write_archive(path, members(), filter, name == "x.zip");
    EXPECT_TRUE(has_archive_extension(path));
    const std::string begin = read_text(path).substr(0, 512);
    EXPECT_TRUE(begins_as_archive({reinterpret_cast<const uint8_t*>(begin.data()), begin.size()}));
    expect_members(pictures_in(path), path);
  }
}

TEST(ArchiveSource, TellsArchivesByTheirBeginning) {
  const auto begins = [](const std::string& bytes) {
    return begins_as_archive({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  };
  for (const std::string& other : {std::string(), std::string("\xFF\xD8\xFF"), std::string("\x89PNG"),
                                   std::string("BM"), std::string(300, 'x'), std::string("P")})
    EXPECT_FALSE(begins(other));
  for (const char* name : {"a.jpg", "tar", "a.tar.jpg", "zip"}) EXPECT_FALSE(has_archive_extension(name)) << name;
  for (const char* name : {"a.TAR", "b.Tgz", "c.tzst", "d.txz"}) EXPECT_TRUE(has_archive_extension(name)) << name;
}

// As others write them, with the names that only their extensions can hold.
TEST(ArchiveSource, ReadsWhatPythonWrites) {
  if (!testing::python_has({"tarfile", "zipfile"})) GTEST_SKIP() << "no /usr/bin/python3";
  const TemporaryFolder folder;
  testing::run_python("io/pictures/make_archives.py", {folder.path().string()});
  const std::string longest = std::string(60, 'd') + "/" + std::string(96, 'f') + ".jpg";
  for (const char* name : {"pax.tar", "gnu.tar", "ustar.tar", "deflated.zip", "stored.zip", "streamed.zip"}) {
    SCOPED_TRACE(name);
    const std::string path = folder / name;
    const auto pictures = pictures_in(path);
    EXPECT_THAT(names_of(pictures),
                ElementsAre(path + "/a/1.jpg", path + "/\xC3\xA4/\xE6\x97\xA5.jpg", path + "/line\nfeed,\"q\".jpg",
                            path + "/dot.jpg", path + "/" + longest));
    for (size_t i = 0; i < pictures.size(); ++i) EXPECT_EQ(text(pictures[i]), "picture " + std::to_string(i));
  }
}

TEST(ArchiveSource, KeepsNamesThatAreNoText) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.tar";
  write_text(path, testing::tar_member("a\xFF\xFE.jpg", "x", 1) + std::string(1024, '\0'));
  EXPECT_THAT(names_of(pictures_in(path)), ElementsAre(path + "/a\xFF\xFE.jpg"));
}

TEST(ArchiveSource, OddMembersAreErrorsInTheirPlace) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.tar";
  write_archive(path, {{"0.jpg", "zero"},
                       {"folder.jpg/", "", AE_IFDIR},
                       {"1.jpg", "", AE_IFLNK, "0.jpg"},
                       {"2.jpg", "", AE_IFREG, "0.jpg"},
                       {"3.jpg", "", AE_IFIFO},
                       {"link", "", AE_IFLNK, "0.jpg"},
                       {"4.jpg", std::string(5000, 'x')},
                       {"5.jpg", "five"}});
  const auto pictures = pictures_in(path, 4999);
  ASSERT_EQ(pictures.size(), 6U);
  EXPECT_EQ(text(pictures[0]), "zero");
  EXPECT_EQ(pictures[1].error, "is a link to 0.jpg, which is not followed in an archive");
  EXPECT_EQ(pictures[2].error, "is a link to 0.jpg, which is not followed in an archive");
  EXPECT_EQ(pictures[3].error, "is a device or a pipe, wanted a file");
  EXPECT_EQ(pictures[4].error, "has 5000 bytes, wanted at most 4999");
  EXPECT_EQ(text(pictures[5]), "five");
  EXPECT_EQ(pictures[5].error, "");
}

TEST(ArchiveSource, ASizeThatIsOnlySaidTakesNoMemory) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.tar", whole = testing::tar_member("0.jpg", "zero", 4);
  std::string sentence;
  testing::LiveBytes live;
  // More than may be, and a size that may be but is not there.
  for (const uint64_t said : {uint64_t{8'000'000'000}, uint64_t{500'000'000}}) {
    write_text(path, whole + testing::tar_member("1.jpg", "short", said));
    ArchiveSource source(path);
    const auto pictures = pictures_before_error(source, sentence);
    live.look();
    ASSERT_EQ(pictures.size(), said > 600'000'000 ? 2U : 1U);
    EXPECT_EQ(text(pictures[0]), "zero");
    if (pictures.size() == 2) {
      EXPECT_THAT(pictures[1].error, HasSubstr("has 8000000000 bytes"));
    }
    EXPECT_THAT(sentence, HasSubstr(path + ": the archive ends early"));
  }
  EXPECT_LT(live.peak(), 8'000'000U);
  // A zip that does not say: as much as may be is read.
  if (!testing::python_has({"zipfile"})) GTEST_SKIP() << "no /usr/bin/python3";
  testing::run_python("io/pictures/make_archives.py", {folder.path().string()});
  const auto pictures = pictures_in(folder / "bomb.zip", 1'000'000);
  ASSERT_EQ(pictures.size(), 2U);
  EXPECT_THAT(pictures[0].error, HasSubstr("has more than 1000000 bytes"));
  EXPECT_EQ(text(pictures[1]), "after");
}

TEST(ArchiveSource, OneThatEndsEarlyGivesItsWholeMembersAndThenAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.tar";
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ}) {
    const bool plain = filter == ARCHIVE_FILTER_NONE;
    std::vector<Member> all;
    for (unsigned i = 0; i < 8; ++i)
      all.push_back({std::to_string(i) + ".jpg", noise_bytes((plain ? 1 : 100) * (700 + 100 * i), i)});
    all.push_back({"last.txt", noise_bytes(3000, 99)});
    write_archive(path, all, filter);
    const std::string whole = read_text(path);
    // The end of the last member, each with its header. Compressed, the end mark is too short to be cut for sure.
    const size_t end = plain ? 9 * 512 + 4 * 1024 + 4 * 1536 + 3072 : whole.size() - 3000;
    const size_t step = plain ? 256 : 20'011;
    ASSERT_LT(end, whole.size());
    size_t most = 0;
    for (size_t cut = plain ? 512 : step; cut <= end; cut += step) {
      write_text(path, whole.substr(0, cut));
      std::string sentence;
      ArchiveSource source(path);
      const auto pictures = pictures_before_error(source, sentence);
      EXPECT_THAT(sentence, HasSubstr(path + ": the archive ends early, after " + std::to_string(pictures.size())))
          << "filter " << filter << ", " << cut << " of " << end;
      // Those that were whole; of a compressed one all but the last that is unpacked at once.
      size_t wanted = 0;
      for (size_t at = 0; wanted < 8; ++wanted) {
        at += 512 + (all[wanted].bytes.size() + 511) / 512 * 512;
        if (at + (plain ? 0 : 140'000) > cut) break;
      }
      if (plain)
        EXPECT_EQ(pictures.size(), wanted) << cut;
      else
        EXPECT_GE(pictures.size(), wanted) << cut;
      for (size_t i = 0; i < pictures.size(); ++i) EXPECT_TRUE(text(pictures[i]) == all[i].bytes);
      EXPECT_GE(pictures.size(), most);
      most = pictures.size();
      Picture more;
      EXPECT_FALSE(source.next(more));
    }
    EXPECT_GE(most, plain ? 8U : 6U);
  }
}

TEST(ArchiveSource, DamageInAZipsMemberIsItsErrorAlone) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.zip";
  write_archive(path, {{"0.jpg", noise_bytes(500, 0)}, {"1.jpg", noise_bytes(500, 1)}, {"2.jpg", noise_bytes(500, 2)}},
                ARCHIVE_FILTER_NONE, true);
  std::string bytes = read_text(path);
  const size_t at = bytes.find("1.jpg") + 200;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_text(path, bytes);
  const auto pictures = pictures_in(path);
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_EQ(pictures[0].error, "");
  EXPECT_NE(pictures[1].error, "");
  EXPECT_TRUE(text(pictures[2]) == noise_bytes(500, 2));
}

TEST(ArchiveSource, NeverFailsOtherwiseThanWithAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "x";
  std::mt19937 random(1);
  for (const bool zip : {false, true}) {
    std::vector<Member> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back({std::to_string(i) + ".jpg", noise_bytes(300, i)});
    write_archive(path, all, ARCHIVE_FILTER_NONE, zip);
    const std::string whole = read_text(path);
    for (int i = 0; i < 300; ++i) {
      std::string bytes = whole;
      for (int k = 0; k < 3; ++k) bytes[random() % 3600 % bytes.size()] = static_cast<char>(random());
      write_text(path, bytes);
      std::string sentence;
      ArchiveSource source(path);
      EXPECT_LE(pictures_before_error(source, sentence).size(), 4U);
    }
  }
}

TEST(ArchiveSource, NamesWhatIsNoArchiveOrHoldsNoPicture) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kData, {folder / "absent.tar", "No such file"}, [&] { pictures_in(folder / "absent.tar"); });
  write_text(folder / "text.tar", "no archive at all");
  expect_error(ErrorKind::kData, {folder / "text.tar"}, [&] { pictures_in(folder / "text.tar"); });
  write_text(folder / "empty.tar", "");
  expect_error(ErrorKind::kData, {folder / "empty.tar"}, [&] { pictures_in(folder / "empty.tar"); });
  expect_error(ErrorKind::kData, {folder.path().string()}, [&] { pictures_in(folder.path().string()); });
  write_archive(folder / "texts.tar", {{"a.txt", "a"}});
  expect_error(ErrorKind::kData, {folder / "texts.tar", "holds no picture", ".jpeg"},
               [&] { pictures_in(folder / "texts.tar"); });
}

TEST(ArchiveSource, ReadsFromAPipe) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  write_archive(folder / "x.tar.zst", members(), ARCHIVE_FILTER_ZSTD);
  const std::string bytes = read_text(folder / "x.tar.zst");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { write_text(pipe, bytes); });
  expect_members(pictures_in(pipe), pipe);
  writer.join();
}

TEST(ArchiveSource, GivesAllOfCifar) {
  const std::string path = std::string(RESFLOW_SHARED_DIR) + "/data/cifar10.tar.zst";
  if (!fs::exists(path)) GTEST_SKIP() << "no " << path;
  ArchiveSource source(path);
  std::set<std::string> names;
  size_t largest = 0;
  Picture picture;
  while (source.next(picture)) {
    EXPECT_EQ(picture.error, "") << picture.name;
    EXPECT_TRUE(picture.bytes.size() > 2 && picture.bytes[0] == 0xFF && picture.bytes[1] == 0xD8) << picture.name;
    largest = std::max(largest, picture.bytes.size());
    names.insert(picture.name.substr(path.size() + 1));
  }
  EXPECT_EQ(names.size(), 60'000U);
  EXPECT_THAT(*names.begin(), ::testing::StartsWith("test/airplane/"));
  EXPECT_LT(largest, 10'000U);
}

TEST(ArchiveSource, IsLeftWhileItPassesOverWhatIsNoPicture) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.tar.gz";
  // Tens of kilobytes, which one reading takes, and unpacked eight megabytes.
  write_archive(path, {{"big.bin", std::string(8 << 20, '\0')}, {"b.jpg", "picture"}}, ARCHIVE_FILTER_GZIP);
  for (const int last : {1, 20}) {
    int asked = 0;
    ArchiveSource source(path, kMaxMember, [&] { return ++asked >= last; });
    Picture picture;
    EXPECT_FALSE(source.next(picture)) << "as if nothing came any more";
    EXPECT_FALSE(source.next(picture));
    EXPECT_EQ(asked, last);
  }
  ArchiveSource whole(path, kMaxMember, [] { return false; });
  EXPECT_EQ(pictures_of(whole).size(), 1U);
}

// What has come of it by then is valid, and what is missing is no damage.
TEST(ArchiveSource, IsLeftWhileAPipeIsSilent) {
  const TemporaryFolder folder;
  write_archive(folder / "a.tar", {{"a.jpg", "first"}, {"b.jpg", "second"}});
  const std::string begin = read_text(folder / "a.tar").substr(0, 1024 + 512 + 3);  // within the second member
  ASSERT_EQ(::mkfifo((folder / "pipe.tar").c_str(), 0600), 0);
  const int writer = ::open((folder / "pipe.tar").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::write(writer, begin.data(), begin.size()), std::ssize(begin));
  // Once everything is read.
  ArchiveSource source(folder / "pipe.tar", kMaxMember, [&] {
    int unread = 1;
    return ::ioctl(writer, FIONREAD, &unread) == 0 && unread == 0;
  });
  Picture picture;
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(text(picture), "first");
  EXPECT_FALSE(source.next(picture));
  ::close(writer);
}

}  // namespace
}  // namespace resflow
