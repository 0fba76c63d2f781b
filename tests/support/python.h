// Runs a script by Debian's Python, which has the PyTorch, torchvision and Pillow that resflow must agree with, or by
// the one of scripts/python-env, which has what Debian does not package beside them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace resflow::testing {

enum class Python { kDebian, kEnv };

// True where /usr/bin/python3, or the interpreter of scripts/python-env, is there and has all `modules`. A test that
// needs them skips otherwise, saying so: GTEST_SKIP() << kNoPythonEnv. One that is there and does not import fails the
// script that needs it.
bool python_has(const std::vector<std::string>& modules, Python python = Python::kDebian);
inline constexpr const char* kNoPythonEnv =
    "scripts/python-env has not made a Python with the packages that this needs";

// Runs tests/SCRIPT with the arguments; its standard output is returned. A failing script fails the test
// by throwing std::runtime_error with what it printed.
std::string run_python(const std::string& script, const std::vector<std::string>& arguments,
                       Python python = Python::kDebian);

// A folder of its own, removed with all its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace resflow::testing
