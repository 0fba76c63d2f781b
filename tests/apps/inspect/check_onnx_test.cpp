#include "apps/inspect/check_onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "graph/model/export_onnx.h"
#include "tests/graph/cases.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

const Preprocessing kSmall = {.resize = 70, .crop = 64};

// The Python of scripts/python-env; empty where it has not been made.
std::string python_env() {
  if (!python_has({"onnxruntime"}, Python::kEnv)) return {};
  std::string path = run_process({std::string(RESFLOW_SOURCE_DIR) + "/scripts/python-env", "--find"}).out;
  while (!path.empty() && path.back() == '\n') path.pop_back();
  return path;
}

class CheckOnnx : public ::testing::Test {
 protected:
  CheckOnnx() : model_({.architecture = "resnet18", .num_classes = 5}, compute_) { settle(model_); }

  std::string exported(bool fold = false) {
    std::string path = folder_ / "a.onnx";
    export_onnx(model_, {}, {.fold_batch_norm = fold, .producer_version = "1"}, path);
    return path;
  }

  // An executable that does as `lines` of shell say, instead of a Python.
  std::string program(const std::string& lines) {
    const std::string path = folder_ / "python";
    write_text(path, "#!/bin/sh\n" + lines + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  TemporaryFolder folder_;
  Compute compute_{2};
  Model model_;
};

TEST_F(CheckOnnx, AnExportedFileAgrees) {
  const std::string python = python_env();
  if (python.empty()) GTEST_SKIP() << kNoPythonEnv;
  for (const bool fold : {false, true}) {
    const OnnxCheck check = check_onnx(exported(fold), model_, kSmall, python);
    EXPECT_TRUE(check.agrees()) << check.reason << check.worst_difference;
    EXPECT_EQ(check.pictures, 4);
    EXPECT_LE(check.worst_difference, 1e-4);
    EXPECT_THAT(check.version, HasSubstr("."));
  }
}

TEST_F(CheckOnnx, OtherWeightsAreFoundToDiffer) {
  const std::string python = python_env();
  if (python.empty()) GTEST_SKIP() << kNoPythonEnv;
  const std::string path = exported();
  // One bias of one class by a little: only the logits say so.
  std::vector<NamedArray> state = model_.state();
  state.back().array.values<float>()[2] += 0.01F;
  model_.load(state);
  const OnnxCheck slightly = check_onnx(path, model_, kSmall, python);
  EXPECT_TRUE(slightly.ran);
  EXPECT_GT(slightly.worst_difference, 1e-4);
  EXPECT_FALSE(slightly.agrees());
  // One class wins by far, then another one: the file has at most one of them.
  int same = 0;
  for (const size_t winner : {size_t{0}, size_t{4}}) {
    std::vector<NamedArray> changed = state;
    changed.back().array.values<float>()[winner] += 1e4F;
    model_.load(changed);
    same += static_cast<int>(check_onnx(path, model_, kSmall, python).same_top1);
  }
  EXPECT_LE(same, 1);
}

TEST_F(CheckOnnx, WhatOnnxruntimeRefusesIsAnError) {
  const std::string python = python_env();
  if (python.empty()) GTEST_SKIP() << kNoPythonEnv;
  const std::string path = folder_ / "other.onnx";
  write_text(path, "no ONNX");
  expect_error(ErrorKind::kData, {path, "does not run it", "other.onnx"},
               [&] { check_onnx(path, model_, kSmall, python); });
  export_onnx(Model({.architecture = "resnet18", .num_classes = 7}, compute_), {}, {}, path);
  expect_error(ErrorKind::kData, {path, "28 logits", "wanted 20"}, [&] { check_onnx(path, model_, kSmall, python); });
}

TEST_F(CheckOnnx, WithoutOnnxruntimeItSaysSo) {
  const std::string path = exported();
  const auto reason = [&](const std::string& python) {
    const OnnxCheck check = check_onnx(path, model_, kSmall, python);
    EXPECT_FALSE(check.ran);
    EXPECT_FALSE(check.agrees());
    return check.reason;
  };
  EXPECT_THAT(reason("/no/such/python"), HasSubstr("/no/such/python cannot be started (No such file or directory)"));
  EXPECT_THAT(reason(program("echo first >&2; echo 'ModuleNotFoundError: none' >&2; exit 1")),
              HasSubstr("has no onnxruntime that works (ModuleNotFoundError: none)"));
  EXPECT_THAT(reason(program("exit 7")), HasSubstr("(exit code 7)"));
  EXPECT_THAT(reason(program("kill -9 $$")), HasSubstr("(signal 9)"));
  if (python_has({"sys"}) && !python_has({"onnxruntime"})) {
    EXPECT_THAT(reason("/usr/bin/python3"), HasSubstr("No module named"));
  }
}

TEST_F(CheckOnnx, AScriptThatStopsIsAnErrorWithItsLastWords) {
  const std::string path = exported();
  expect_error(ErrorKind::kData, {path, "onnxruntime 9.9", "OutOfMemory"}, [&] {
    check_onnx(path, model_, kSmall, program("echo 9.9; echo 'Trace\nOutOfMemory: all' >&2; exit 1"));
  });
  expect_error(ErrorKind::kData, {path, "signal 9"},
               [&] { check_onnx(path, model_, kSmall, program("echo 9.9; kill -9 $$")); });
  expect_error(ErrorKind::kData, {path, "0 logits"},
               [&] { check_onnx(path, model_, kSmall, program("echo 9.9; : > \"$5\"")); });
}

TEST_F(CheckOnnx, TheEnvironmentNamesThePython) {
  const std::string path = exported();
  const std::string stub = program("exit 3");
  setenv("RESFLOW_PYTHON", stub.c_str(), 1);
  const OnnxCheck check = check_onnx(path, model_, kSmall);
  unsetenv("RESFLOW_PYTHON");
  EXPECT_THAT(check.reason, HasSubstr(stub + " has no onnxruntime that works (exit code 3)"));
}

TEST_F(CheckOnnx, NothingIsLeftBehind) {
  const std::string temporary = folder_ / "tmp", path = exported(), stub = program("exit 1");
  std::filesystem::create_directory(temporary);
  const char* before = std::getenv("TMPDIR");
  const std::string restored = before == nullptr ? "" : before;
  setenv("TMPDIR", temporary.c_str(), 1);
  check_onnx(path, model_, kSmall, stub);
  EXPECT_ANY_THROW(check_onnx(path, model_, kSmall, program("echo 9.9; echo x > \"$5\"; exit 1")));
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", restored.c_str(), 1);
  }
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

TEST_F(CheckOnnx, LogitsThatAreNotFiniteAreNotCompared) {
  const std::string path = exported();
  std::vector<NamedArray> state = model_.state();
  state.back().array.values<float>()[0] = std::nanf("");
  model_.load(state);
  EXPECT_THAT(check_onnx(path, model_, kSmall, program("exit 1")).reason, HasSubstr("not finite"));
}

}  // namespace
}  // namespace resflow::testing
