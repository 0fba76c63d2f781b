#include "io/files/machine_failure.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <numeric>
#include <string>
#include <vector>

#include "io/files/folder_listing.h"
#include "io/pictures/data_folders.h"
#include "io/pictures/dataset.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/io/pictures/listed.h"
#include "tests/support/files.h"
#include "tests/support/python.h"
#include "tests/support/sanitized.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::FaultyFiles;
using testing::span_of;
using testing::TemporaryFolder;
using testing::touch;

const std::vector<int> kOfTheMachine = {EIO,          ESTALE,   ETIMEDOUT,  ENETDOWN, ENETUNREACH, EHOSTDOWN,
                                        EHOSTUNREACH, ENOTCONN, ECONNRESET, EAGAIN,   EMFILE,      ENFILE,
                                        ENOMEM,       ENOBUFS,  ENOLCK,     EBUSY,    EINTR,       EREMOTEIO};
const std::vector<int> kOfTheFile = {ENOENT, EACCES,    EPERM,  ENOTDIR, ELOOP,  EISDIR, ENAMETOOLONG, ENXIO, ENODEV,
                                     EINVAL, EOVERFLOW, EILSEQ, EROFS,   ENOSPC, EDQUOT, EUCLEAN,      0};

class ReadingFile : public ::testing::Test {
 protected:
  ReadingFile() { replace_file(path_, span_of("0123456789")); }

  std::string read() {
    std::vector<uint8_t> buffer;
    const auto bytes = read_file(path_, buffer, files_);
    return {bytes.begin(), bytes.end()};
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "x.jpg";
  FaultyFiles files_;
};

TEST(MachineFailure, KnowsWhatTheMachineIsAtFaultFor) {
  for (const int error : kOfTheMachine) EXPECT_TRUE(is_machine_failure(error)) << error;
  for (const int error : kOfTheFile) EXPECT_FALSE(is_machine_failure(error)) << error;
}

TEST_F(ReadingFile, AFailureThatPassesIsNotSeen) {
  for (const char* call : {"open", "fstat", "pread"})
    for (const int error : kOfTheMachine)
      for (const int times : {1, 3}) {
        files_ = FaultyFiles();
        files_.fail(call, 1, error, times);
        EXPECT_EQ(read(), "0123456789") << call << ", " << error;
      }
}

TEST_F(ReadingFile, OneThatStaysIsTheMachinesAndIsAskedForAFewTimesWithGrowingPauses) {
  for (const char* call : {"open", "fstat", "pread"})
    for (const int error : kOfTheMachine) {
      files_ = FaultyFiles();
      files_.fail(call, 1, error);
      expect_error(ErrorKind::kSystem, {path_, reason_of(error)}, [&] { read(); });
      const std::vector<double>& slept = files_.slept();
      ASSERT_GE(slept.size(), 2U) << call << ", " << error;
      for (size_t i = 1; i < slept.size(); ++i) EXPECT_GT(slept[i], slept[i - 1]);
      EXPECT_LT(std::accumulate(slept.begin(), slept.end(), 0.0), 1.0) << "nobody can stop this wait";
    }
}

TEST_F(ReadingFile, WhatSpeaksOfTheFileIsAskedForOnceAndIsData) {
  for (const char* call : {"open", "pread"})
    for (const int error : {ENOENT, EACCES, ELOOP, ENOTDIR, EISDIR}) {
      files_ = FaultyFiles();
      files_.fail(call, 1, error);
      EXPECT_THROW(read(), UnreadableFile);
      EXPECT_EQ(files_.calls(call), 1);
      EXPECT_TRUE(files_.slept().empty());
    }
}

TEST_F(ReadingFile, InterruptionsAreGoneOnFromWithoutAPause) {
  files_.fail("pread", 1, EINTR, 100);
  EXPECT_EQ(read(), "0123456789");
  EXPECT_TRUE(files_.slept().empty());
}

TEST_F(ReadingFile, AStaleFileIsOpenedAnew) {
  files_.fail("pread", 1, ESTALE, 1);
  EXPECT_EQ(read(), "0123456789");
  EXPECT_EQ(files_.calls("open"), 2);
}

TEST_F(ReadingFile, PatientFilesWaitLongerAndEndWhereTheyAreStopped) {
  files_.fail("open", 1, ENETDOWN);
  std::vector<uint8_t> buffer;
  PatientFiles patient(files_, {});
  expect_error(ErrorKind::kSystem, {path_}, [&] { read_file(path_, buffer, patient); });
  const double whole = std::accumulate(files_.slept().begin(), files_.slept().end(), 0.0);
  EXPECT_GT(whole, 2);
  for (const double seconds : files_.slept()) EXPECT_LT(seconds, 0.5) << "between two questions whether to stop";

  FaultyFiles failing;
  failing.fail("open", 1, ENETDOWN);
  PatientFiles stopped(failing, [&] { return failing.slept().size() >= 3; });
  expect_error(ErrorKind::kSystem, {path_}, [&] { read_file(path_, buffer, stopped); });
  EXPECT_EQ(failing.slept().size(), 3U);
}

// No file handle more for this process while it exists.
class NoHandles {
 public:
  NoHandles() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit none = before_;
    none.rlim_cur = 0;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoHandles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoHandles(const NoHandles&) = delete;
  NoHandles& operator=(const NoHandles&) = delete;

 private:
  rlimit before_{};
};

template <class Work>
void expect_no_handles(const Work& work) {
  expect_error(ErrorKind::kSystem, {"Too many open files"}, [&] {
    const NoHandles none;
    work();
  });
}

TEST(MachineFailure, WithoutFileHandlesNoFolderIsEmptyOrAbsent) {
  if (testing::kSanitized) GTEST_SKIP() << "UndefinedBehaviorSanitizer opens a pipe to look at objects";
  const TemporaryFolder folder;
  touch(folder / "train/a/1.jpg");
  const std::string root = folder.path().string();
  expect_no_handles([&] { FolderListing(folder / "train"); });
  expect_no_handles([&] { list_image_folder(folder / "train"); });
  expect_no_handles([&] { data_parts(root); });
}

}  // namespace
}  // namespace resflow
