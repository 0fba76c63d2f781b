#include "apps/machine/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "io/core/error.h"

namespace resflow {

ScratchFolder::ScratchFolder() {
  std::error_code failed;
  std::string folder = std::filesystem::temp_directory_path(failed);
  if (failed) folder = "/tmp";
  path_ = folder + "/resflow-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr)
    throw system_error("{}: no temporary folder can be made there ({}); TMPDIR names another place", folder,
                       std::strerror(errno));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace resflow
