// A split on the disk: a folder that is there whole or not at all, and can be taken away again.
//
// It holds the parts (train/CLASS/..., val/CLASS/...) or lists of them, and split.json, which names every file that the
// split made and where it came from. What split.json does not name is never removed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/core/listener.h"
#include "io/files/file_lock.h"
#include "pipeline/split_plan.h"

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
  // How the files were divided: split.json says so.
  SplitPlanOptions plan = {};
  bool group_duplicates = true;
};

// Says what would stand in the way before anything is touched. Throws Error{kUsage} where `out` holds files that no
// split made; where it holds another split and `overwrite` is false; where the files of that split are the only ones
// (they were moved, or their sources are gone); and where one of `out` and `data` lies within the other.
void check_split_folder(const std::string& out, const std::string& data, bool overwrite);

// Keeps other splits of the same `out` away while it lives: OUT.lock says who is at work. Null where the folder that
// `out` is to lie in is not there yet. Throws as FileLock does.
std::unique_ptr<FileLock> lock_split_folder(const std::string& out);

// Removes what a killed run has left in OUT.partial, and notes it; files that the run had moved go back to `data`, and
// a former split that is called OUT.old gets its name again. To be done before the data are listed: what was moved is
// missing there. What OUT.partial/split.json says is believed only of OUT.partial itself and of `data`, and no link is
// followed. Throws Error: kUsage where OUT.partial holds something else, kSystem where a file cannot go back.
void recover_split_folder(const std::string& out, const std::string& data, Listener& listener);

// Makes the folder beside (OUT.partial), then renames it to `out`; a former split there is then removed. Moved files
// are verified first: all lie on out's file system, and none is reached by a link. Where the listener asks to stop, all
// is undone and the result is false. All is on the disk before it gets its name. Warns of a disk that looks too small,
// and of a former split that cannot be removed. Throws Error, with everything as it was: kUsage as check_split_folder,
// and for a way that the file systems do not allow; kData where a source is gone; kSystem where the disk is full or
// fails. REQUIRES: recover_split_folder(out) came before, under lock_split_folder(out).
bool make_split_folder(const SplitJob& job, Listener& listener);

}  // namespace resflow
