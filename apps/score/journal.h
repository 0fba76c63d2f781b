// How far a scoring has come: OUT.journal, small and written whole each time, beside the files that grow
// (docs/score-files.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/score/fingerprint.h"
#include "apps/score/listing_place.h"
#include "io/files/file.h"

namespace resflow {

struct ScoreJournal {
  struct File {
    std::string path;   // its final name
    int64_t bytes = 0;  // how many of its bytes belong to the rows
  };

  Fingerprint fingerprint;
  // On which the last rows were computed: run_fingerprint of apps/machine/versions.h, or empty.
  std::string machine = {};
  int64_t rows = 0, failed = 0;  // rows in the output, and how many of them have an error
  int64_t unreadable = 0;        // of those, how many files could not be opened or read
  // Where the listing goes on: behind the picture that comes last in it among those that have a row.
  ListingPlace place;
  // The pictures before `place` that have no row yet, as they are listed. There are some only where rows come in any
  // order.
  std::vector<ListedPicture> missing;
  std::vector<File> files;
  // How many executors compute the rows, for a run that goes on; before they are chosen it is kChooseExecutors
  // (apps/score/executor_choice.h).
  int executors = 1;
  bool complete = false;  // all rows are there: the files are about to get their names, or some have them
};

inline constexpr const char* kJournalEnding = ".journal";

// Which output the run reads the errors of again: xxh3 of its bytes, as hex(); empty for one that does not.
std::string retried_rows(const ScoreJournal& journal);

// Beside the file that is written: where `out` is a link, beside the one that it leads to.
std::string journal_path(const std::string& out);

// Whole or not at all. Throws as AtomicFile does.
void save_journal(const ScoreJournal& journal, const std::string& path, FileSystem& files = machine_files());

// Nothing where there is no file. Throws Error{kData} where the file is no journal of a scoring.
std::optional<ScoreJournal> load_journal(const std::string& path);

}  // namespace resflow
