// Expects an Error of a kind whose sentence holds all the parts given.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/core/error.h"

namespace resflow::testing {

template <class Work>
void expect_error(ErrorKind kind, const std::vector<std::string>& parts, Work work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const auto& part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    return;
  }
  ADD_FAILURE() << "no Error; wanted one with: " << (parts.empty() ? "" : parts[0]);
}

}  // namespace resflow::testing
