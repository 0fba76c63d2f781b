#include "io/files/outputs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "io/files/growing_file.h"
#include "tests/io/expect_error.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

class Outputs : public ::testing::Test {
 protected:
  void refused(const std::vector<std::string>& says, const std::vector<OutputFile>& outputs,
               const std::vector<std::string>& inputs = {}, FileSystem& files = machine_files()) {
    expect_error(ErrorKind::kUsage, says, [&] { check_outputs(outputs, inputs, files); });
  }

  const TemporaryFolder folder_;
};

TEST_F(Outputs, TouchesNothing) {
  write_text(folder_ / "x", "previous");
  write_text(folder_ / "y.partial", "rows");
  check_outputs({{"out", folder_ / "x"}, {"json", folder_ / "y"}, {"csv", folder_ / "z"}, {"none", ""}});
  EXPECT_EQ(read_text(folder_ / "x"), "previous");
  EXPECT_EQ(read_text(folder_ / "y.partial"), "rows");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 2);
}

TEST_F(Outputs, TwoOfThemAreNotOneFileUnderAnyNames) {
  fs::create_directory(folder_ / "a");
  fs::create_directory_symlink("a", folder_ / "b");
  refused({"two files at once", "out and json"}, {{"out", folder_ / "x"}, {"json", folder_ / "./a/../x"}});
  refused({"two files at once"}, {{"out", folder_ / "a/x"}, {"csv", folder_ / "y"}, {"json", folder_ / "b/x"}});
  write_text(folder_ / "x", "previous");
  fs::create_hard_link(folder_ / "x", folder_ / "hard");
  fs::create_symlink("x", folder_ / "soft");
  fs::create_symlink("new", folder_ / "dangling");
  for (const char* other : {"hard", "soft"})
    refused({"two files at once"}, {{"out", folder_ / "x"}, {"json", folder_ / other}});
  refused({"two files at once"}, {{"out", folder_ / "new"}, {"json", folder_ / "dangling"}});
  check_outputs({{"out", "/dev/null"}, {"json", "/dev/null"}});
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  refused({"two files at once"}, {{"out", folder_ / "pipe"}, {"json", folder_ / "pipe"}});
}

TEST_F(Outputs, NoneIsAnInput) {
  write_text(folder_ / "model", "weights");
  fs::create_symlink("model", folder_ / "link");
  refused({"link", "is to be read"}, {{"out", folder_ / "link"}}, {folder_ / "absent", folder_ / "model"});
}

TEST_F(Outputs, SaysWhereTheyCannotBe) {
  refused({"no folder", folder_ / "absent"}, {{"out", folder_ / "absent/x"}});
  refused({"is a folder"}, {{"out", folder_.path().string()}});
  refused({"name too long"}, {{"out", folder_ / std::string(250, 'x')}});
  FaultyFiles files;
  files.fail("access", 1, EROFS);
  refused({"no permission", folder_.path().string()}, {{"out", folder_ / "x"}}, {}, files);
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  check_outputs({{"out", folder_ / "pipe"}});
  refused({"is no file"}, {{"out", folder_ / "pipe", true}});
  check_outputs({{"out", "/dev/null", true}});
}

TEST_F(Outputs, AFailingMachineIsNotAWrongPath) {
  write_text(folder_ / "former", "");
  for (const char* call : {"lstat", "stat", "access"})
    for (const char* name : {"former", "new"}) {
      FaultyFiles files;
      files.fail(call, 1, EIO);
      expect_error(ErrorKind::kSystem, {reason_of(EIO)}, [&] { check_outputs({{"out", folder_ / name}}, {}, files); });
      files.fail(call, 1, EIO, 2);
      check_outputs({{"out", folder_ / name}}, {}, files);
    }
}

TEST_F(Outputs, WhatAnotherRunHasBegunIsLeftAlone) {
  write_text(folder_ / "s.csv.journal", "{}");
  write_text(folder_ / "s.csv.partial", "rows");
  refused({"begun there", "s.csv.journal", "resume"}, {{"csv", folder_ / "s.csv"}});
  check_outputs({{"out", folder_ / "s.csv", false, true}});
  for (const char* left : {"s.csv.journal", "s.csv.partial"}) refused({"begun", left}, {{"json", folder_ / left}});
  const GrowingFile running(folder_ / "r.csv");
  refused({"another program is writing it"}, {{"csv", folder_ / "r.csv"}});
}

TEST_F(Outputs, AFailureOfOneLosesNoOther) {
  write_text(folder_ / "file", "");
  expect_error(ErrorKind::kUsage, {folder_ / "file/one"}, [&] {
    write_each({[&] { replace_text_file(folder_ / "file/one", "1"); }, [&] { replace_text_file(folder_ / "two", "2"); },
                [&] { replace_text_file(folder_ / "absent/three", "3"); }});
  });
  EXPECT_EQ(read_text(folder_ / "two"), "2");
}

}  // namespace
}  // namespace resflow
