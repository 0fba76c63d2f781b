#include "apps/data/same_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/support/python.h"
#include "tests/support/stops_after.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Sha256::Digest digest(uint8_t first) {
  Sha256::Digest all{};
  all[0] = first;
  return all;
}

TEST(SameContent, EqualDigestsAreAGroupInOrder) {
  // The second group's digest is the smaller one: groups are in the order of their files.
  EXPECT_THAT(group_same({{digest(9), 0}, {digest(1), 1}, {digest(5), 2}, {digest(9), 4}, {digest(1), 3}}),
              ElementsAre(ElementsAre(0, 4), ElementsAre(1, 3)));
  EXPECT_THAT(group_same({}), IsEmpty());
}

class SameFiles : public ::testing::Test {
 protected:
  void file(const std::string& name, const std::string& content) {
    write_text(folder_ / name, content);
    samples_.push_back({.path = folder_ / name, .label = 0});
  }

  TemporaryFolder folder_;
  std::vector<Sample> samples_;
};

TEST_F(SameFiles, AreFoundByTheirBytes) {
  file("a", "one");
  file("b", "two");
  file("c", "one");
  file("d", "of another size");
  file("e", "two");
  file("empty 1", "");
  file("empty 2", "");
  samples_.push_back({.path = folder_ / "absent", .label = 0});
  for (const int threads : {1, 3})
    EXPECT_THAT(find_same_content(samples_, threads, silent()), ElementsAre(ElementsAre(0, 2), ElementsAre(1, 4)));
}

TEST_F(SameFiles, AreLookedForUntilTheListenerAsksToStop) {
  StopsAfter impatient(0);
  for (int i = 0; i < 5; ++i) file(std::to_string(i), "same");
  find_same_content(samples_, 1, impatient);
  EXPECT_EQ(impatient.last.done, 1);
  EXPECT_EQ(impatient.last.total, 5);
  EXPECT_EQ(impatient.last.unit, "files");
}

}  // namespace
}  // namespace resflow::testing
