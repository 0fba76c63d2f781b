// How far a scoring has come: OUT.journal, small and written whole each time, beside the files that grow
// (docs/score-files.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/files/file.h"

namespace resflow {

// What shapes the rows, in order: ("model", "xxh3 0123456789abcdef"), ("--top", "3"), ...
using Facts = std::vector<std::pair<std::string, std::string>>;

// The first fact that differs, as "--top 1" and "--top 3"; nothing where all are the same.
struct Difference {
  std::string first, second;
};
std::optional<Difference> first_difference(const Facts& first, const Facts& second);

// A place in the sequence of pictures that the inputs are.
struct ListingPlace {
  int64_t pictures = 0;   // before it
  uint64_t names = 0;     // xxh3_next over their names (io/files/xxh3.h)
  std::string last = {};  // the last one's name
};

// A picture of the listing.
struct ListedPicture {
  int64_t index = 0;  // from 0
  uint64_t name = 0;  // its xxh3

  bool operator==(const ListedPicture&) const = default;
};

struct ScoreJournal {
  struct File {
    std::string path;   // its final name
    int64_t bytes = 0;  // of it that belong to the rows
  };

  Facts facts;
  int64_t rows = 0, failed = 0;        // in the output
  ListingPlace place;                  // behind the last row's picture; of rows in any order behind the last one listed
  std::vector<ListedPicture> missing;  // of rows in any order: before `place` and without a row, as they are listed
  std::vector<File> files;
  int executors = 1;  // that compute the rows; kChooseExecutors (apps/score/executor_choice.h) before they are chosen
  bool complete = false;  // all rows are there: the files are about to get their names, or some have them
};

std::string journal_path(const std::string& out);

// Whole or not at all. Throws as AtomicFile does.
void save_journal(const ScoreJournal& journal, const std::string& path, FileSystem& files = machine_files());

// Nothing where there is none. Throws Error{kData} where it is none of ours.
std::optional<ScoreJournal> load_journal(const std::string& path);

}  // namespace resflow
