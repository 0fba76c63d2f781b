// The files of a scoring: rows, and on request embeddings and errors, each whole at the end or not there at all, and a
// journal that lets a killed run go on (docs/score-files.md).
//
//   add() a row in each file -> after whole batches, now and then: sync all, write OUT.journal -> ... -> finish():
//   headers, sync, "complete" in the journal -> rename all -> remove the journal
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/score/journal.h"
#include "apps/score/rows.h"
#include "apps/score/shard.h"
#include "apps/score/sinks.h"
#include "io/core/array.h"
#include "io/files/growing_file.h"

namespace resflow {

enum class ScoreFormat { kCsv, kJsonl, kNpy, kNpz };
std::string score_format_name(ScoreFormat format);  // "csv", ...
// Of --format, else of the ending of --out, else .csv. Throws Error{kUsage} for what is none of them.
ScoreFormat score_format(const std::string& name, const std::string& out);
inline bool is_text(ScoreFormat format) { return format == ScoreFormat::kCsv || format == ScoreFormat::kJsonl; }

enum class ScoreStart {
  kNew,        // refuses where a run was begun
  kResume,     // goes on with it, if there is one
  kOverwrite,  // throws it away
};

struct ScoreOutputOptions {
  std::string out;  // empty: standard output, for which nothing is resumed
  ScoreFormat format = ScoreFormat::kCsv;
  RowOptions rows;
  std::string embeddings, errors;  // empty: none
  DType embeddings_dtype = DType::kF32;
  std::optional<Shard> shard;
  bool unordered = false;  // rows come in any order of whole batches
  ScoreStart start = ScoreStart::kNew;
  int executors = 1;        // as --executors says; kChooseExecutors: what a run that is gone on with had
  int batch = 32;           // only whole batches are saved: a resumed run has the same ones, and the same bits
  double save_seconds = 2;  // between savings
};

// Throws Error{kUsage} where a run was begun there and `start` is kNew, or two of the files are the same.
void check_score_output(const ScoreOutputOptions& options);

class ScoreOutput {
 public:
  // `features` is how many a picture has. Throws as GrowingFile does; Error{kUsage} where a run that is to be gone on
  // with had other facts, and names which; Error{kData} where its files are not as it left them.
  ScoreOutput(const ScoreOutputOptions& options, const std::vector<std::string>& classes, int64_t features,
              const Facts& facts, FileSystem& files = machine_files());
  // Without finish(): removes the files where nothing can be gone on with.
  ~ScoreOutput();
  ScoreOutput(const ScoreOutput&) = delete;
  ScoreOutput& operator=(const ScoreOutput&) = delete;

  // What is there: the inputs go on with what is `missing`, and then at `place`.
  const ScoreJournal& done() const { return now_; }
  // All rows had been there before: add() nothing, finish().
  bool complete() const { return now_.complete; }

  // They were chosen: from the rows to come on it is so many, for runs that go on too.
  void set_executors(int executors) { now_.executors = whole_.executors = executors; }

  // Of rows in any order: the pictures that are listed before such a place and have no row yet, as they are listed.
  using Missing = std::function<std::vector<ListedPicture>(int64_t pictures)>;

  // The next row; `place` is behind its picture. Throws Error{kSystem}, ReaderGone (apps/host/console.h).
  // REQUIRES: `missing` where the rows come in any order.
  void add(const ScoredPicture& picture, const ListingPlace& place, const Missing& missing = {});

  // Saves up to the last whole batch. Throws Error{kSystem}.
  void save();
  // Rows that --resume would find; 0 where it would begin anew.
  int64_t saved_rows() const { return saved_rows_; }

  // All rows are there; `listed` is all that the inputs listed. Throws Error{kSystem}.
  void finish(const ListingPlace& listed);

 private:
  void open_files();
  void make_sinks(int64_t features);
  void remove_former();
  void remove_journal();
  void discard();
  void write_journal(const ScoreJournal& journal);
  void publish();

  ScoreOutputOptions options_;
  std::vector<std::string> classes_;
  FileSystem& files_;
  bool resumed_ = false;
  std::vector<std::unique_ptr<GrowingFile>> open_;  // in the order of now_.files
  GrowingFile* shard_file_ = nullptr;
  std::vector<std::unique_ptr<RowSink>> sinks_;
  ScoreJournal now_, whole_;  // as rows came, and at the end of the last whole batch
  int64_t saved_rows_ = 0;
  bool has_journal_ = false, finished_ = false;
  std::chrono::steady_clock::time_point saved_at_;
};

}  // namespace resflow
