// A split on the disk: a folder that is there whole or not at all, and can be taken away again.
//
// It holds the parts (train/CLASS/..., val/CLASS/...) or lists of them, and split.json, which names every file that the
// split made and where it came from. What split.json does not name is never removed.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace resflow {

enum class SplitHow { kList, kSymlink, kHardlink, kCopy, kMove };

// "list", "symlink", "hardlink", "copy", "move". Throws Error{kUsage} for another.
SplitHow split_how(const std::string& name);
const char* split_how_name(SplitHow how);

struct SplitFile {
  std::string source;     // absolute
  std::string place;      // below the split's folder: "val/cat/1.jpg"
  std::string text = {};  // kList: the content
};

struct SplitJob {
  std::string out;   // absolute, resolved
  std::string data;  // absolute, resolved: the folder that the sources lie in
  SplitHow how = SplitHow::kSymlink;
  bool overwrite = false;
  std::vector<SplitFile> files;
  nlohmann::ordered_json facts = nlohmann::ordered_json::object();  // goes into split.json
};

// What would stand in the way, before anything is touched: `out` holds what no split made, or another split
// without `overwrite`, or one whose files are the only ones (moved, or their sources are gone); it lies within `data`
// or the other way round. Throws Error{kUsage}.
void check_split_folder(const std::string& out, const std::string& data, bool overwrite);

// Removes what a killed run has left in OUT.partial; files that it had moved go back. Said on standard error. To be
// done before the data are listed: what was moved is missing there. Throws Error: kUsage where there is something else,
// kSystem where a file cannot go back.
void recover_split_folder(const std::string& out);

// Makes the folder beside (OUT.partial), then renames it to `out`; a former split there is then removed. Moved files
// are verified first: all on out's file system, none reached by a link. `progress` is told how many files are done;
// where it returns false, all is undone and the result is false. Throws Error, with everything as it was: kUsage as
// check_split_folder, and for a way that the file systems do not allow; kData where a source is gone; kSystem where the
// disk is full or fails. REQUIRES: recover_split_folder(out) came before; no other split of this `out` is under way.
bool make_split_folder(const SplitJob& job, const std::function<bool(int64_t done, int64_t total)>& progress);

}  // namespace resflow
