// Which files of a list have the same bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "io/core/listener.h"
#include "io/files/sha256.h"
#include "io/pictures/dataset.h"

namespace resflow {

// Groups of two and more indices into `digests` whose digests are equal. The indices of a group ascend, and groups are
// in the order of their first index. A file without a digest is in no group.
std::vector<std::vector<size_t>> groups_of_equal(const std::vector<std::optional<Sha256::Digest>>& digests);

// The same of the files of `samples`. Only files that share their size with another are read. Empty files and files
// that cannot be read are in no group. Where the listener asks to stop, the work ends, and the result is of no use.
// Throws Error{kSystem} where the machine fails.
std::vector<std::vector<size_t>> find_same_content(const std::vector<Sample>& samples, int threads, Listener& listener);

}  // namespace resflow
