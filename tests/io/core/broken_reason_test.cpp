#include "io/core/broken_reason.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;

TEST(BrokenReason, IsTheSentenceWithoutTheName) {
  EXPECT_EQ(broken_reason(data_error("a/1.jpg: is empty: 0 bytes"), "a/1.jpg"), "is empty: 0 bytes");
  EXPECT_EQ(broken_reason(data_error("pack: is damaged"), "pack/1.jpg"), "pack: is damaged");
}

TEST(BrokenReason, AFaultThatIsNotTheFilesIsThrownOn) {
  expect_error(ErrorKind::kSystem, {"no memory"}, [] { broken_reason(system_error("no memory"), "1.jpg"); });
}

template <class Thrown>
std::string failure_of(const Thrown& thrown) {
  return picture_failure(std::make_exception_ptr(thrown), "a/1.jpg").reason;
}

TEST(PictureFailure, WhateverAPictureMakesItsDecodingThrowIsThatPicturesError) {
  EXPECT_EQ(failure_of(data_error("a/1.jpg: is empty: 0 bytes")), "is empty: 0 bytes");
  EXPECT_EQ(failure_of(internal_error("region 0x0")), "region 0x0");
  EXPECT_EQ(failure_of(std::length_error("vector::_M_default_append")), "cannot be decoded: vector::_M_default_append");
}

TEST(PictureFailure, SaysWhetherTheFileWasReadAtAll) {
  const auto of = [](const auto& thrown) { return picture_failure(std::make_exception_ptr(thrown), "a/1.jpg"); };
  EXPECT_TRUE(of(UnreadableFile("a/1.jpg: no permission to read it")).unread);
  EXPECT_EQ(of(UnreadableFile("a/1.jpg: no permission to read it")).reason, "no permission to read it");
  EXPECT_FALSE(of(data_error("a/1.jpg: is empty")).unread);
  EXPECT_FALSE(of(std::length_error("x")).unread);
}

TEST(PictureFailure, WhatSpeaksOfTheMachineIsThrownOn) {
  expect_error(ErrorKind::kSystem, {"EMFILE"}, [] { failure_of(system_error("EMFILE")); });
  expect_error(ErrorKind::kSystem, {"a/1.jpg: not enough memory"}, [] { failure_of(std::bad_alloc()); });
  EXPECT_THROW(failure_of(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again))),
               std::system_error);
}

}  // namespace
}  // namespace resflow
