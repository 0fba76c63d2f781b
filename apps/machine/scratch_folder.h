// A folder of its own for files that are wanted for a while.
#pragma once

#include <string>

namespace resflow {

// Made in TMPDIR, and removed with all its content at the end.
class ScratchFolder {
 public:
  ScratchFolder();  // Throws Error{kSystem}.
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace resflow
