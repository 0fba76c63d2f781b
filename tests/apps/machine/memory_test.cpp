// Covers: apps/machine/same_machine
#include "apps/machine/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/machine/same_machine.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/heard_sentences.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

TEST(MemoryLimit, OfThisProcessIsThere) {
  const MemoryLimit limit = memory_limit();
  EXPECT_GT(limit.used, 0);
  EXPECT_GT(limit.bytes, limit.used);
  EXPECT_LT(limit.bytes, kNoMemoryLimit);  // a machine has an end
  EXPECT_FALSE(limit.whose.empty());
}

constexpr int64_t kMb = 1'000'000;

TEST(MemorySentence, NamesABatchThatFits) {
  const MemoryLimit container = {.bytes = 1000 * kMb, .used = 100 * kMb, .whose = "this container"};
  const auto sentence = [&](const PlannedMemory& planned) {
    return without_marks(memory_sentence(planned, 32, container));
  };
  EXPECT_EQ(sentence({.fixed = 10 * kMb, .batch = 800 * kMb, .shown = 900 * kMb}), "");
  // 900 MB are left, and 810 of them may be planned: half of the 1600 MB and the 10.
  EXPECT_EQ(sentence({.fixed = 10 * kMb, .batch = 1600 * kMb, .shown = 1700 * kMb}),
            "memory 1.70 GB planned, this container may have 1.00 GB: batch 16 would fit");
  EXPECT_EQ(sentence({.fixed = 10 * kMb, .batch = 801 * kMb, .shown = 900 * kMb}),
            "memory 900.0 MB planned, this container may have 1.00 GB, of which 100.0 MB are in use: batch 31 would "
            "fit");
  EXPECT_EQ(sentence({.fixed = 5000 * kMb, .batch = 80 * kMb, .shown = 5080 * kMb}),
            "memory 5.08 GB planned, this container may have 1.00 GB: it fits with no batch");
  EXPECT_EQ(memory_sentence({.fixed = 1, .batch = int64_t{1} << 60, .shown = 0}, 32, {}), "");
}

TEST(SameMachine, WarnsOfAnotherOneAndIsStrictOnDemand) {
  testing::HeardSentences heard;
  check_same_machine("", "b", true, heard);  // a file from before there was the note
  check_same_machine("b", "b", true, heard);
  EXPECT_EQ(heard.warnings(), "");
  check_same_machine("a", "b", false, heard);
  EXPECT_THAT(heard.warnings(), ::testing::AllOf(::testing::HasSubstr("began on a;"), ::testing::HasSubstr("on b")));
  testing::expect_error(ErrorKind::kUsage, {"began on a;", "strict"},
                        [&] { check_same_machine("a", "b", true, heard); });
  say_changed_pictures("photos of data", false, heard);
  EXPECT_THAT(heard.warnings(), ::testing::HasSubstr("photos of data were changed since"));
  testing::expect_error(ErrorKind::kUsage, {"photos of data were changed since", "strict"},
                        [&] { say_changed_pictures("photos of data", true, heard); });
}

}  // namespace
}  // namespace resflow
