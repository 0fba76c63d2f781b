// A file while it is written, beside the place where it will be: PATH.PID-RANDOM.partial.
//
// Its name is new each time and it is made exclusively, so that no link and no other program stands in it. It is locked
// (flock) while its writer lives. What a killed program has left is thereby known, and the next writer of the same path
// removes it; where the file system has no locks, it does so once that is a day old and its process is gone.
#pragma once

#include <string>

#include "io/files/file.h"
#include "io/files/output_place.h"

namespace resflow {

struct PartialFile {
  std::string path;
  int file = -1;  // open for reading and writing; -1 where it cannot be made, and errno says why
  int lock = -1;  // a second descriptor, which holds the lock until it is closed
};

// REQUIRES: !place.through. The file has the mode and, as far as this user may give it, the owner of the former one.
PartialFile make_partial(const OutputPlace& place, FileSystem& files);

// Gives the open file the mode and, as far as may be, the owner of `former`: nobody may read it who could not before.
void keep_mode(int file, const struct stat& former, FileSystem& files);

// Is done once a process for each place, because it lists the folder.
void remove_stale_partials(const OutputPlace& place, FileSystem& files);

}  // namespace resflow
