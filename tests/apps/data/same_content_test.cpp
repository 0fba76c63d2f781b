#include "apps/data/same_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

std::vector<Sample> written(const TemporaryFolder& folder, const std::vector<std::string>& contents) {
  std::vector<Sample> samples;
  for (const std::string& content : contents) {
    samples.push_back({.path = folder / std::to_string(samples.size()), .label = 0});
    testing::write_text(samples.back().path, content);
  }
  return samples;
}

TEST(SameContent, GroupsFilesInOrder) {
  const TemporaryFolder folder;
  std::vector<Sample> samples = written(folder, {"bb", "aaa", "bb", "", "cc", "aaa", "", "bb"});
  samples.push_back({.path = folder / "absent", .label = 0});
  const auto always = [](int64_t, int64_t) { return true; };
  EXPECT_THAT(find_same_content(samples, 2, always), ElementsAre(ElementsAre(0, 2, 7), ElementsAre(1, 5)));
}

TEST(SameContent, ReadsOnlyFilesThatShareTheirSize) {
  const TemporaryFolder folder;
  int64_t read = 0;
  const auto groups = find_same_content(written(folder, {"a", "bb", "cc", "ddd"}), 1, [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 2);
    read = done;
    return true;
  });
  EXPECT_THAT(groups, IsEmpty());
  EXPECT_EQ(read, 2);
}

TEST(SameContent, GroupsDigestsWhateverTheirOrder) {
  const Sha256::Digest one = {1}, two = {2}, three = {3};
  EXPECT_THAT(group_same({{two, 7}, {one, 4}, {two, 3}, {three, 0}, {one, 5}}),
              ElementsAre(ElementsAre(3, 7), ElementsAre(4, 5)));
  EXPECT_THAT(group_same({}), IsEmpty());
}

}  // namespace
}  // namespace resflow
