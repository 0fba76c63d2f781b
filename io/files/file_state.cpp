#include "io/files/file_state.h"

#include <sys/stat.h>

#include <array>
#include <string_view>

#include "io/files/xxh3.h"

namespace resflow {

uint64_t file_state(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  const std::array<int64_t, 3> state = {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  return xxh3({reinterpret_cast<const char*>(state.data()), sizeof state});
}

}  // namespace resflow
