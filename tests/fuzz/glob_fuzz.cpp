// Patterns over a small tree of folders: a pattern of any bytes ends, and what it gives is there.
#include "io/files/glob.h"

#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

namespace fs = std::filesystem;

// Patterns are relative to it.
void enter_tree() {
  std::string folder = (fs::temp_directory_path() / "resflow-glob-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) finding("no folder for files");
  fs::current_path(folder);
  std::atexit([] {
    std::error_code ignored;
    const fs::path here = fs::current_path(ignored);
    fs::current_path("/", ignored);
    fs::remove_all(here, ignored);
  });
  for (const char* name : {"a/b/c/1.jpg", "a/b/2.jpg", "a/[x]/*.png", "a/.hidden/3.jpg",
                           "b/aaaaaaaaaaaaaaaaaaaaaaaaaaab", "b/\xff\xfe.jpg", "b/new\nline", "\\/x"}) {
    fs::create_directories(fs::path(name).parent_path());
    std::ofstream(name) << name;
  }
}

void run(std::span<const uint8_t> bytes) {
  static const bool entered = (enter_tree(), true);
  static_cast<void>(entered);
  std::string pattern(bytes.begin(), bytes.end());
  // Only below the tree, and no longer than a path may be.
  std::replace(pattern.begin(), pattern.end(), '\0', '*');
  std::string plain = pattern;
  std::erase(plain, '\\');  // "\." is a dot, too
  if (pattern.size() > 512 || plain.starts_with('/') || plain.find("..") != std::string::npos) return;
  has_wildcard(pattern);
  accepts([&] {
    Glob glob(pattern);
    int matches = 0;
    for (Glob::Match match; glob.next(match);) {
      if (++matches > 1000) finding("more matches than there are files");
      if (match.error.empty() && !fs::exists(fs::symlink_status(match.path))) finding("a match that is not there");
    }
  });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
