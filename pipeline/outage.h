// When it is the machine that is gone, and not so many pictures that are broken.
#pragma once

#include <cstdint>
#include <string>

#include "io/core/error.h"

namespace resflow {

// An Error{kSystem}: pictures cannot be read for now, although nothing says that they are broken. The machine failed,
// and went on failing when it was asked again (io/files/machine_failure.h), or too many files in a row were not to be
// had. What a loader gave before is as if nothing had happened, and a run may go on behind it later.
class Outage : public Error {
 public:
  explicit Outage(const std::string& sentence) : Error(ErrorKind::kSystem, sentence) {}
};

// So many files in a row that cannot be opened or read (UnreadableFile) are an Outage.
inline constexpr int64_t kOutage = 50;

// The files in a row that could not be opened or read, as whoever takes pictures in their order counts them.
class UnreadFiles {
 public:
  // `most` is how many are an Outage, 0: none are. `all` is how many files there are: those are an Outage, too, once
  // one of them could be read; 0: not known.
  explicit UnreadFiles(int64_t most, int64_t all = 0) : most_(most), all_(all) {}

  // The next file could be read, whatever it holds.
  void read();
  // It could not, for this reason. Throws Outage where that is one too many, and begins to count anew.
  void unread(const std::string& name, const std::string& reason);

  // Whether the last file is one of some that may become an Outage.
  bool in_doubt() const { return in_a_row_ > 0; }
  // Those that are in doubt will be seen again.
  void forget() { in_a_row_ = 0; }

 private:
  int64_t most_, all_, in_a_row_ = 0;
  std::string first_;  // its name and why
  bool any_read_ = false;
};

}  // namespace resflow
