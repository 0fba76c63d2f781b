#include "io/files/stand_in.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(StandIn, APointerOfGitLfsSaysHowLargeItsFileIs) {
  EXPECT_EQ(lfs_pointer("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 102230000\n"),
            "is a Git LFS pointer to a file of 102.2 MB, and not the file: git lfs pull brings it");
  EXPECT_EQ(lfs_pointer("version https://git-lfs.github.com/spec/v1\noid sha"),
            "is a Git LFS pointer to a file, and not the file: git lfs pull brings it");
  EXPECT_EQ(lfs_pointer("version 2"), "");
  EXPECT_EQ(lfs_pointer(""), "");
}

TEST(StandIn, APageIsKnownByItsFirstTag) {
  for (const char* page :
       {"<!DOCTYPE html><html>", "\xEF\xBB\xBF <!doctype HTML>", "\n<html lang=en>", "<?xml version='1.0'?>"})
    EXPECT_TRUE(is_web_page(page)) << page;
  for (const char* other : {"", "<", "html", "PK\3\4<html>", "<svg>"}) EXPECT_FALSE(is_web_page(other)) << other;
}

}  // namespace
}  // namespace resflow
