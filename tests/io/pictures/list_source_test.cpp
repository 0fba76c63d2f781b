#include "io/pictures/list_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/io/expect_error.h"
#include "tests/io/live_bytes.h"
#include "tests/io/pictures/listed.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using testing::pictures_of;
using testing::TemporaryFolder;

using Names = std::vector<std::pair<std::string, std::string>>;

// (name, path) of each.
Names listed(const std::string& text, const ListOptions& options = {}) {
  const TemporaryFolder folder;
  testing::write_text(folder / "list", text);
  ListSource source(folder / "list", options);
  Names names;
  for (const Picture& picture : pictures_of(source)) {
    EXPECT_EQ(picture.error, "");
    names.emplace_back(picture.name, picture.path);
  }
  return names;
}

Names same(const std::vector<std::string>& paths) {
  Names names;
  for (const std::string& path : paths) names.emplace_back(path, path);
  return names;
}

TEST(ListSource, GivesALineAPicture) {
  EXPECT_EQ(listed("a.jpg\n/b c.png\n"), same({"a.jpg", "/b c.png"}));
  EXPECT_EQ(listed("a.jpg\nwithout an end"), same({"a.jpg", "without an end"}));
  EXPECT_EQ(listed("\n\na.jpg\r\n\r\n  b\n"), same({"a.jpg", "  b"}));
  EXPECT_EQ(listed("\"q\",\xFF\xFE\t.jpg\n"), same({"\"q\",\xFF\xFE\t.jpg"}));
}

TEST(ListSource, ZeroBytesSeparateNamesThatHoldLineFeeds) {
  using namespace std::string_literals;
  EXPECT_EQ(listed("a\nb.jpg\0\0c\r\0d"s, {.null = true}), same({"a\nb.jpg", "c\r", "d"}));
}

TEST(ListSource, TakesIds) {
  using namespace std::string_literals;
  EXPECT_EQ(listed("a.jpg\t17\nb.jpg\nc\td.jpg\tx y\ne.jpg\t\n", {.ids = true}),
            (Names{{"17", "a.jpg"}, {"b.jpg", "b.jpg"}, {"x y", "c\td.jpg"}, {"e.jpg", "e.jpg"}}));
  EXPECT_EQ(listed("a\n.jpg\tid\n1\0"s, {.ids = true, .null = true}), (Names{{"id\n1", "a\n.jpg"}}));

  const TemporaryFolder folder;
  testing::write_text(folder / "list", "\tid\n");
  ListSource source(folder / "list", {.ids = true});
  Picture picture;
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(picture.name, "id");
  EXPECT_EQ(picture.error, "the list has no path for it");
}

TEST(ListSource, AByteOrderMarkIsNoPartOfTheFirstLine) {
  using namespace std::string_literals;
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_EQ(listed(mark + "a.jpg\r\nb.jpg\r\n"), same({"a.jpg", "b.jpg"}));
  EXPECT_EQ(listed(mark + "\n" + mark + "b.jpg\n"), same({mark + "b.jpg"}));
  EXPECT_EQ(listed(mark + "a.jpg\t7\n", {.ids = true}), (Names{{"7", "a.jpg"}}));
  // A path of find -print0 may have any name.
  EXPECT_EQ(listed(mark + "a.jpg\0"s, {.null = true}), same({mark + "a.jpg"}));
  expect_error(ErrorKind::kData, {"list", "names no file"}, [&] { listed(mark); });
  expect_error(ErrorKind::kData, {"is UTF-16, wanted UTF-8"}, [] {
    listed(
        "\xFF\xFE"
        "a\0.\0j\0p\0g\0\n\0"s);
  });
  expect_error(ErrorKind::kData, {"is UTF-16, wanted UTF-8"}, [] { listed("\xFE\xFF\0a\0\n"s); });
}

TEST(ListSource, LinesMayLieAcrossItsBuffers) {
  std::string text;
  std::vector<std::string> wanted;
  for (int i = 0; i < 3000; ++i) {
    wanted.push_back(std::string(static_cast<size_t>(i) % 251 + 1, 'a') + std::to_string(i));
    text += wanted.back() + "\n";
  }
  ASSERT_GT(text.size(), 4U * 65'536);
  EXPECT_EQ(listed(text), same(wanted));
  EXPECT_EQ(listed(std::string(65'536, 'x') + "\ny"), same({std::string(65'536, 'x'), "y"}));
}

TEST(ListSource, AHundredThousandNamesTakeNoMoreMemory) {
  const TemporaryFolder folder;
  {
    std::ofstream file(folder / "list");
    for (int i = 0; i < 100'000; ++i) file << "a/rather/long/path/of/a/picture/" << i << ".jpg\n";
  }
  testing::LiveBytes live;
  ListSource source(folder / "list", {});
  Picture picture;
  int count = 0;
  while (source.next(picture))
    if (++count % 256 == 0) live.look();
  EXPECT_EQ(count, 100'000);
  EXPECT_LT(live.peak(), 100'000U);  // one buffer; the names alone are 3.7 MB
}

TEST(ListSource, SaysWhatIsWrong) {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  expect_error(ErrorKind::kData, {folder / "absent", "No such file"}, [&] { ListSource(folder / "absent", {}); });
  expect_error(ErrorKind::kData, {folder.path().string(), "cannot be read"}, [&] {
    ListSource source(folder.path().string(), {});
    pictures_of(source);
  });
  expect_error(ErrorKind::kData, {"list", "names no file"}, [] { listed(""); });
  expect_error(ErrorKind::kData, {"list", "names no file"}, [] { listed("\n\r\n"); });
  expect_error(ErrorKind::kData, {"line 2", "zero byte", "Say null then"}, [] { listed("a\nb\0c\n"s); });
  expect_error(ErrorKind::kData, {"entry 2", "longer than 65536"}, [] { listed("a\n" + std::string(70'000, 'x')); });
}

TEST(ListSource, WaitsForAPipeUntilItIsToldToStop) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  std::atomic<int> asked = 0;
  ListSource source(pipe, {.stop = [&] { return ++asked == 3; }});
  ASSERT_EQ(::write(writer, "a.jpg\nb.j", 9), 9);
  Picture picture;
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(picture.name, "a.jpg");
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(::write(writer, "pg\nhalf", 7), 7);
  });
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(picture.name, "b.jpg");
  late.join();
  EXPECT_FALSE(source.next(picture));  // what is half there is none
  EXPECT_EQ(asked, 3);
  ::close(writer);
}

}  // namespace
}  // namespace resflow
