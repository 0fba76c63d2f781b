// Which files below a folder are its pictures: by their names' endings, and by patterns of what is left out. And what
// was passed over by that, so that somebody can say it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace resflow {

struct Selection {
  // Patterns of files and folders that are left out, a folder with all below it: * ? and [...] as fnmatch(3) has them,
  // also for a leading dot. One without a slash is compared with a name, one with slashes with as many of a path's last
  // names, one that begins with a slash with the whole path; one that ends with a slash is of folders.
  std::vector<std::string> exclude = {};
  // Endings that are a picture's beside image_extensions(), with their dots, case ignored: ".jfif". "." stands for
  // names without an ending.
  std::vector<std::string> extensions = {};
};

// Throws Error{kUsage} for an empty pattern and for an ending that is none; the settings are called "exclude" and
// "extensions".
void check(const Selection& selection);

// Which pattern leaves this file or folder out: its index. It looks at no folder above.
std::optional<size_t> excluding_pattern(const Selection& selection, const std::string& path, bool folder);
// The same of a file and of each folder in `name`, which is a path below `root`.
std::optional<size_t> excluding_pattern_within(const Selection& selection, const std::string& root,
                                               const std::string& name);

// Whether a file of this name is a picture.
bool is_picture_name(const Selection& selection, std::string_view path);

// ".jpg" of "a/x.JPG"; "" where there is none.
std::string lower_ending(std::string_view path);

// What a listing passed over.
struct PassedOver {
  struct Ending {
    int64_t files = 0;
    std::string first = {};  // path of the first one
  };
  std::map<std::string, Ending> endings = {};  // by lower_ending(); of so many different ones at most kMostEndings
  int64_t other_endings = 0;                   // files of all further ones
  int64_t hidden = 0;                          // files without an ending whose names begin with a dot
  std::set<size_t> patterns = {};              // those of the selection that left something out

  static constexpr size_t kMostEndings = 100;

  void add_file(const std::string& path);
  void add(const PassedOver& other);
};

// "130 files left out by their ending: .jfif 130; they begin as JPEG: extensions .jfif takes them", for a data line or
// the end of a sentence; "" where there are none. Reads the beginning of the first file of each ending.
std::string left_out_sentence(const PassedOver& left_out);

// The patterns that left nothing out.
std::vector<std::string> idle_patterns(const Selection& selection, const std::set<size_t>& used);

// The name of a folder that programs make and nobody who collects pictures does: .ipynb_checkpoints, __MACOSX, @eaDir,
// .Trash-1000, lost+found and the like, and any other that begins with a dot.
bool is_stray_folder(std::string_view name);

// A file that macOS puts beside another one on foreign disks: ._x.jpg.
bool is_apple_double_name(std::string_view path);

}  // namespace resflow
