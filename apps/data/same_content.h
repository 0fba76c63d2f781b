// Which files of a list have the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/core/listener.h"
#include "io/files/sha256.h"
#include "io/pictures/dataset.h"

namespace resflow {

struct FileDigest {
  Sha256::Digest digest;
  size_t file;  // its index, in whatever list
};

// Groups of two and more files with the same digest: each group in order, the groups by their first file.
std::vector<std::vector<size_t>> group_same(const std::vector<FileDigest>& files);

// Groups of two and more indices into `samples`, each in order, the groups by their first. Only files that share
// their size with another are read. Empty files and files that cannot be read are in no group.
// Where the listener asks to stop, the work ends, and the result is of no use. Throws Error{kSystem} where the machine
// fails.
std::vector<std::vector<size_t>> find_same_content(const std::vector<Sample>& samples, int threads, Listener& listener);

}  // namespace resflow
