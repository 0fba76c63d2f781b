// Runs a script by Debian's Python, which has the PyTorch, torchvision and Pillow that resflow must agree with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace resflow::testing {

// True where /usr/bin/python3 can import all `modules`. A test that needs them skips otherwise, saying so.
bool python_has(const std::vector<std::string>& modules);

// Runs tests/SCRIPT with the arguments; its standard output is returned. A failing script fails the test
// by throwing std::runtime_error with what it printed.
std::string run_python(const std::string& script, const std::vector<std::string>& arguments);

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
