#include "apps/score/tracked_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/files/xxh3.h"
#include "tests/apps/score/named_pictures.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using testing::name_of;
using testing::NamedPictures;

TEST(TrackedSource, GivesEachPictureItsPlaceInTheWholeListing) {
  NamedPictures pictures(30);
  const Shard shard = {.number = 2, .of = 3};
  TrackedSource source(pictures, silent(), shard);
  EXPECT_FALSE(source.count());
  Picture picture;
  uint64_t names = 0;
  for (int64_t i = 0; i < 30; ++i) {
    names = xxh3_next(names, name_of(i));
    if (!shard.has(name_of(i))) continue;
    ASSERT_TRUE(source.next(picture));
    EXPECT_EQ(picture.name, name_of(i));
    EXPECT_EQ(picture.place.index, i);
    EXPECT_EQ(picture.place.names, names);
  }
  EXPECT_FALSE(source.next(picture));
  EXPECT_EQ(source.listed().pictures, 30);
  EXPECT_EQ(source.listed().names, names);
}

TEST(TrackedSource, StopsSkippingWhereItIsAskedTo) {
  struct Stopping : Listener {
    bool stop() override { return ++asked > 4; }
    int asked = 0;
  } listener;
  NamedPictures pictures(30);
  TrackedSource source(pictures, listener);
  EXPECT_FALSE(source.skip_to({.pictures = 20, .names = 1, .last = name_of(19)}));
  EXPECT_EQ(source.listed().pictures, 4);
  EXPECT_FALSE(source.differs());
}

TEST(TrackedSource, GoesOnWithTheSameInputsAlone) {
  NamedPictures before(20);
  Unscored unscored;
  TrackedSource source(before, silent(), std::nullopt, &unscored);
  Picture picture;
  ListingPlace place;
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(source.next(picture));
    if (i == 8) place = {.pictures = i + 1, .names = picture.place.names, .last = picture.name};
  }
  for (const int64_t index : {4, 5, 6, 7, 0, 1, 8}) unscored.remove(index);
  const std::vector<ListedPicture> missing = unscored.before(place.pictures);
  EXPECT_THAT(missing, ElementsAre(ListedPicture{2, xxh3(name_of(2))}, ListedPicture{3, xxh3(name_of(3))}));
  expect_error(ErrorKind::kInternal, {"was not listed"}, [&] { unscored.remove(8); });

  const auto names = [&](NamedPictures pictures) {
    Unscored left;
    TrackedSource again(pictures, silent(), std::nullopt, &left);
    std::vector<std::string> given;
    try {
      again.skip_to(place, missing);
      EXPECT_EQ(left.before(place.pictures), missing);
      while (again.next(picture)) given.push_back(picture.name);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kUsage);
      EXPECT_TRUE(again.differs());
      given.emplace_back(e.what());
    }
    return given;
  };
  EXPECT_THAT(names(NamedPictures(11)), ElementsAre(name_of(2), name_of(3), name_of(9), name_of(10)));
  // Of what comes later nobody knows what it was.
  EXPECT_THAT(names(NamedPictures(10, 9)), ElementsAre(name_of(2), name_of(3), name_of(9) + " anew"));
  EXPECT_THAT(names(NamedPictures(20, 3)),
              ElementsAre(name_of(2), "picture 4 of the inputs had another name, now it is plain3 anew"));
  EXPECT_THAT(names(NamedPictures(20, 6)),
              ElementsAre(name_of(2), name_of(3), "the first 9 pictures of the inputs have other names now"));
  EXPECT_THAT(names(NamedPictures(20, 8)),
              ElementsAre(name_of(2), name_of(3), "picture 9 of the inputs was plain8, now it is plain8 anew"));
  EXPECT_THAT(names(NamedPictures(7)),
              ElementsAre(name_of(2), name_of(3), "the inputs hold 7 pictures, 9 of them had been scored"));
  EXPECT_THAT(names(NamedPictures(1)), ElementsAre("the inputs hold 1 picture, 9 of them had been scored"));
}

// Pictures that lie in files, of which a run remembers sizes and times beside the names.
class FilePictures : public PictureSource {
 public:
  explicit FilePictures(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  bool next(Picture& picture) override {
    if (at_ == paths_.size()) return false;
    picture.name = picture.path = paths_[at_++];
    picture.error.clear();
    return true;
  }

 private:
  std::vector<std::string> paths_;
  size_t at_ = 0;
};

TEST(TrackedSource, NoticesThatPicturesWereChanged) {
  const testing::TemporaryFolder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 4; ++i) testing::write_text(paths.emplace_back(folder / std::to_string(i)), "picture");
  ListingPlace place;
  {
    FilePictures pictures(paths);
    TrackedSource source(pictures, silent());
    Picture picture;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(source.next(picture));
    place = {.pictures = 3, .names = picture.place.names, .last = picture.name, .files = picture.place.files};
  }
  const auto changed = [&] {
    int64_t told = 0;
    FilePictures pictures(paths);
    TrackedSource source(pictures, silent(), std::nullopt, nullptr, {.changed = [&](int64_t n) { told = n; }});
    EXPECT_TRUE(source.skip_to(place));
    return told;
  };
  EXPECT_EQ(changed(), 0);
  testing::write_text(paths[3], "another one that has no row yet");
  EXPECT_EQ(changed(), 0);
  testing::write_text(paths[1], "another one");
  EXPECT_EQ(changed(), 3);
  place.files.reset();  // of a journal that does not say
  EXPECT_EQ(changed(), 0);
}

// In a .npz every name takes as much room as the longest one.
TEST(TrackedSource, ANameThatIsTooLongIsThatPicturesError) {
  FilePictures pictures(
      {"a", std::string(11, 'x'), std::string(10, 'y'), "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"});
  TrackedSource source(pictures, silent(), std::nullopt, nullptr, {.most_letters = 10});
  std::vector<std::string> errors;
  for (Picture picture; source.next(picture);) errors.push_back(picture.error);
  EXPECT_THAT(errors, ElementsAre("", ::testing::HasSubstr("its name has 11 characters"), "", ""));
}

}  // namespace
}  // namespace resflow
