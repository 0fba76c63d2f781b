// The files of a scoring: rows, and on request embeddings and errors, each whole at the end or not there at all, and a
// journal that lets a killed run go on (docs/score-files.md).
//
//   add() a row in each file -> end_batch() after each whole batch, which now and then syncs all and writes OUT.journal
//   -> ... -> finish(): headers, sync, "complete" in the journal -> rename all -> remove the journal
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/score/fingerprint.h"
#include "apps/score/former_rows.h"
#include "apps/score/journal.h"
#include "apps/score/rows.h"
#include "apps/score/shard.h"
#include "apps/score/sinks.h"
#include "apps/score/unscored.h"
#include "io/core/array.h"
#include "io/core/stopwatch.h"
#include "io/files/growing_file.h"
#include "io/files/outputs.h"

namespace resflow {

enum class ScoreFormat { kCsv, kJsonl, kNpy, kNpz };
std::string score_format_name(ScoreFormat format);  // "csv", ...
// The format of this name; if it is empty, that of the ending of `out`, or csv. Throws Error{kUsage} for a name that is
// none.
ScoreFormat score_format(const std::string& name, const std::string& out);
inline bool is_text(ScoreFormat format) { return format == ScoreFormat::kCsv || format == ScoreFormat::kJsonl; }

enum class ScoreStart {
  kNew,        // refuses to begin where another run was begun and not finished
  kResume,     // goes on with such a run, if there is one
  kOverwrite,  // throws away what such a run left
};

struct ScoreOutputOptions {
  std::string out = {};   // empty: rows go to `print`, and no later run can go on with them
  TextOutput print = {};  // where `out` is empty, takes the rows, of csv or jsonl
  ScoreFormat format = ScoreFormat::kCsv;
  RowOptions rows = {};
  std::string embeddings = {}, errors = {};  // empty: none
  DType embeddings_dtype = DType::kF32;
  std::optional<Shard> shard = {};
  bool unordered = false;  // batches come in any order
  // OUT is there. Its rows with an error are written anew, in their places, and the others kept as they are.
  bool retry_errors = false;
  ScoreStart start = ScoreStart::kNew;
  double save_seconds = 2;   // between savings
  std::string machine = {};  // that computes the rows, for the journal
};

// Throws Error{kUsage} where a run was begun there and `start` is kNew, where errors are to be retried in rows that
// have no names or no order, and as check_outputs() does (io/files/outputs.h) for all files of a scoring and `others`
// that its command writes, none of which may be among `inputs`.
void check_score_output(const ScoreOutputOptions& options, const std::vector<OutputFile>& others = {},
                        const std::vector<std::string>& inputs = {});

// What a scoring with these options has left when it was done. `features` as ScoreOutput has it.
FormerFiles former_files(const ScoreOutputOptions& options, const std::vector<std::string>& classes, int64_t features);

class ScoreOutput {
 public:
  // `features` is how many a picture has. Throws as GrowingFile does; where it is to go on with a run, Error{kUsage} if
  // that had another fingerprint, naming the difference, and Error{kData} if its files are not as it left them.
  ScoreOutput(const ScoreOutputOptions& options, const std::vector<std::string>& classes, int64_t features,
              const Fingerprint& fingerprint, FileSystem& files = machine_files());
  // Without finish(): removes the files if no journal was written, with which a later run could go on.
  ~ScoreOutput();
  ScoreOutput(const ScoreOutput&) = delete;
  ScoreOutput& operator=(const ScoreOutput&) = delete;

  // What is there: the inputs go on with what is `missing`, and then at `place`.
  const ScoreJournal& done() const { return now_; }
  // False where a file system has no locks: the user must see to it that no other program writes the files.
  bool locked() const;
  // It goes on with a run that was begun before.
  bool resumed() const { return resumed_; }
  // All rows had been there before: add() nothing, finish().
  bool complete() const { return now_.complete; }

  // Notes in the journal how the rows to come are computed. A run that goes on finds it in done().
  void set_executors(int executors) { now_.executors = whole_.executors = executors; }

  // Where batches come in any order, whoever lists the pictures says in it which ones have no row yet. Null otherwise.
  Unscored* unscored() { return options_.unordered ? &unscored_ : nullptr; }

  // Writes the next row. Where errors are retried, it is the row of the next picture that has one in OUT, and the rows
  // before it are kept. Throws Error{kSystem}, and what `print` throws.
  // REQUIRES: the picture has its place; it is in unscored(), if there is that.
  void add(const ScoredPicture& picture);

  // To be called behind the last row of each batch that is full: rows up to here may be saved. Only whole batches are,
  // so that a run that goes on has the same ones, and with them the same bits. Throws Error{kSystem}.
  void end_batch();

  // Saves the rows up to the last whole batch. Throws Error{kSystem}.
  void save();
  // How many rows a later run would find to go on with; 0 where it would begin anew.
  int64_t saved_rows() const { return saved_rows_; }

  // All rows are there; `listed` is all that the inputs listed. Throws Error{kSystem}.
  void finish(const ListingPlace& listed);

 private:
  bool keep_former();
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
  bool keeps_ = false;  // there is a file for the rows, and beside it a journal: a later run can go on with them
  std::vector<std::unique_ptr<GrowingFile>> open_;  // in the order of now_.files
  GrowingFile* shard_file_ = nullptr;
  std::vector<std::unique_ptr<RowSink>> sinks_;
  std::unique_ptr<FormerRows> former_;  // where errors are retried
  Unscored unscored_;
  ScoreJournal now_, whole_;  // as rows came, and at the end of the last whole batch
  int64_t saved_rows_ = 0;
  bool has_journal_ = false, finished_ = false;
  Stopwatch since_saving_;
};

}  // namespace resflow
