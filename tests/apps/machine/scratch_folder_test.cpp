#include "apps/machine/scratch_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/files.h"

namespace resflow::testing {
namespace {

TEST(ScratchFolder, IsGoneWithAllThatIsInIt) {
  std::string file;
  {
    const ScratchFolder folder;
    file = folder / "a";
    write_text(file, "x");
    EXPECT_TRUE(std::filesystem::exists(file));
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(file).parent_path()));
}

TEST(ScratchFolder, IsOneOfItsOwn) {
  const ScratchFolder one, other;
  EXPECT_NE(one / "a", other / "a");
}

}  // namespace
}  // namespace resflow::testing
