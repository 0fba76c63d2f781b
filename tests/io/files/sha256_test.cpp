// Covers: io/files/file_sha256
#include "io/files/sha256.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "io/core/listener.h"
#include "io/files/file_sha256.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;

std::string sha256(const std::string& text) {
  Sha256 hash;
  hash.add(text.data(), text.size());
  return hash.hex();
}

// FIPS 180-2, appendix B.
TEST(Sha256, EqualsTheExamplesOfTheStandard) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  Sha256 hash;
  hash.add("a", 1);
  hash.add("", 0);
  hash.add("bc", 2);
  const Sha256::Digest digest = hash.digest();
  EXPECT_EQ(digest[0], 0xBA);
  EXPECT_EQ(digest[31], 0xAD);
}

TEST(Sha256, OfAFileTellsHowFarItIs) {
  const TemporaryFolder folder;
  testing::write_text(folder / "abc", "abc");
  EXPECT_EQ(file_sha256(folder / "abc"), sha256("abc"));
  testing::write_text(folder / "empty", "");
  EXPECT_EQ(file_sha256(folder / "empty"), sha256(""));

  class Last : public Listener {
   public:
    void progress(const ProgressState& state) override { last = state; }
    ProgressState last;
  } listener;
  const std::string content(9'000'000, 'x');
  testing::write_text(folder / "long", content);
  EXPECT_EQ(file_sha256(folder / "long", listener), sha256(content));
  EXPECT_EQ(listener.last.done, listener.last.total);
  testing::expect_error(ErrorKind::kData, {folder / "absent"}, [&] { file_sha256(folder / "absent"); });
}

}  // namespace
}  // namespace resflow
