#include "apps/score/retry_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/score/rows.h"
#include "tests/apps/score/named_pictures.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"
#include "tests/support/stops_after.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using testing::is_broken;
using testing::name_of;
using testing::NamedPictures;
using testing::TemporaryFolder;

class RetrySourceTest : public ::testing::Test {
 protected:
  RetrySourceTest() {
    std::string text = error_csv_header();
    for (int64_t i = 0; i < 20; ++i)
      text += error_csv_row({.name = name_of(i), .error = is_broken(i) ? "is broken" : ""});
    testing::write_text(files_.out, text);
  }

  // The names that it gives of `pictures`, where the first `kept` rows are done.
  std::vector<std::string> given(NamedPictures pictures, int64_t kept = 0, Listener& listener = silent()) {
    FormerRows former(files_);
    former.skip(kept);
    Picture picture;
    for (int64_t i = 0; i < kept; ++i) pictures.next(picture);
    RetrySource source(pictures, former, listener);
    std::vector<std::string> names;
    while (source.next(picture)) names.push_back(picture.name);
    return names;
  }

  TemporaryFolder folder_;
  FormerFiles files_ = {.kind = FormerKind::kCsv, .out = folder_ / "rows.csv", .header = error_csv_header()};
};

TEST_F(RetrySourceTest, GivesThePicturesWhoseRowsHaveAnError) {
  EXPECT_THAT(given(NamedPictures(20)), ElementsAre(name_of(3), name_of(8), name_of(13), name_of(18)));
  EXPECT_THAT(given(NamedPictures(20), 9), ElementsAre(name_of(13), name_of(18)));
}

TEST_F(RetrySourceTest, InputsThatAreNotThoseOfTheRowsAreRefused) {
  expect_error(ErrorKind::kUsage, {"retry_errors", name_of(5).substr(4), "anew"}, [&] { given(NamedPictures(20, 5)); });
  expect_error(ErrorKind::kUsage, {"retry_errors", "has no row"}, [&] { given(NamedPictures(21)); });
  expect_error(ErrorKind::kUsage, {"retry_errors", "do not hold"}, [&] { given(NamedPictures(19)); });
  testing::StopsAfter stopping(0);
  EXPECT_EQ(given(NamedPictures(19), 0, stopping).size(), 4U) << "the listing was ended, nobody knows what it has";
}

}  // namespace
}  // namespace resflow
