#include "apps/score/output.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>

#include "apps/score/npz.h"
#include "apps/score/shard_file.h"
#include "io/core/error.h"
#include "io/files/output_place.h"
#include "io/files/path_facts.h"
#include "io/formats/npy_file.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<const char*, ScoreFormat>, 4> kFormats = {{{"csv", ScoreFormat::kCsv},
                                                                          {"jsonl", ScoreFormat::kJsonl},
                                                                          {"npy", ScoreFormat::kNpy},
                                                                          {"npz", ScoreFormat::kNpz}}};

bool may_exist(const std::string& path) {
  try {
    return is_there(path);
  } catch (const Error&) {
    return true;
  }
}

std::string partial(const std::string& path) { return written_path(path) + kPartialEnding; }

// A device or a pipe takes rows as they come, and nothing of them is kept.
bool is_file(const std::string& path) { return !output_place(path).through; }

std::vector<std::string> paths_of(const ScoreOutputOptions& options) {
  std::vector<std::string> paths;
  if (!options.out.empty() && options.format == ScoreFormat::kNpz) {
    const NpzParts parts = npz_parts(written_path(options.out));
    paths = {parts.scores, parts.names};
  } else if (!options.out.empty()) {
    paths = {options.out};
  }
  for (const std::string& path : {options.embeddings, options.errors})
    if (!path.empty()) paths.push_back(path);
  if (options.shard) paths.push_back(shard_path(options.out));
  return paths;
}

// A journal beside the file that tells of a run which is not finished, and which writes the same partial file: it is
// not OUT alone that a run may be gone on with.
void check_begun_elsewhere(const std::string& path, const std::string& own_journal) {
  std::error_code error;
  if (!is_file(path) || fs::file_size(partial(path), error) == 0 || error) return;
  const std::string folder = output_place(path).folder;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string journal = at->path().string();
    std::error_code different;
    if (!journal.ends_with(kJournalEnding) || fs::equivalent(journal, own_journal, different)) continue;
    try {
      const std::optional<ScoreJournal> other = load_journal(journal);
      if (!other) continue;
      for (const ScoreJournal::File& file : other->files)
        if (fs::path(file.path).filename() == fs::path(written_path(path)).filename())
          throw usage_error(
              "{}: a run was begun that writes it, and not finished ({}): go on with it by {}, or write "
              "elsewhere",
              path, journal, setting("resume"));
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kUsage) throw;  // what is no journal tells of no run
    }
  }
}

// As OUT.shard names the file, relative to OUT: so the files may be moved together.
std::string relative_to(const std::string& out, const std::string& path) {
  std::error_code error;
  const fs::path from = fs::absolute(out, error).lexically_normal().parent_path();
  return fs::absolute(path, error).lexically_normal().lexically_relative(from).string();
}

}  // namespace

std::string score_format_name(ScoreFormat format) {
  for (const auto& [name, f] : kFormats)
    if (f == format) return name;
  throw internal_error("a format without a name");
}

ScoreFormat score_format(const std::string& name, const std::string& out) {
  const std::string extension = fs::path(out).extension().string();
  for (const auto& [known, format] : kFormats)
    if (name.empty() ? extension == std::string(".") + known : name == known) return format;
  if (!name.empty()) throw usage_error("{} {}: wanted csv, jsonl, npy or npz", setting("format"), name);
  return ScoreFormat::kCsv;
}

void check_score_output(const ScoreOutputOptions& options, const std::vector<OutputFile>& others,
                        const std::vector<std::string>& inputs) {
  std::vector<OutputFile> outputs = others;
  outputs.push_back(
      {.name = setting("out"), .path = options.out, .needs_file = !is_text(options.format), .goes_on = true});
  outputs.push_back({.name = setting("embeddings"), .path = options.embeddings, .needs_file = true});
  outputs.push_back({.name = setting("errors"), .path = options.errors});
  if (options.shard) outputs.push_back({.name = setting("shard"), .path = shard_path(options.out), .needs_file = true});
  check_outputs(outputs, inputs);
  if (options.retry_errors && (options.unordered || options.format == ScoreFormat::kNpy))
    throw usage_error("{}: wanted rows with names in the order of the inputs: a .csv, .jsonl or .npz without {}",
                      setting("retry_errors"), setting("unordered"));
  if (options.out.empty()) return;
  // What it is written in until all rows are there.
  if (options.format == ScoreFormat::kNpz) {
    const NpzParts parts = npz_parts(written_path(options.out));
    check_outputs({{setting("out"), parts.scores}, {setting("out"), parts.names}});
  }
  if (!is_file(options.out)) return;
  for (const std::string& path : paths_of(options)) check_begun_elsewhere(path, journal_path(options.out));
  if (options.start != ScoreStart::kNew) return;
  if (const std::string journal = journal_path(options.out); is_there(journal))
    throw usage_error("{}: a run was begun and not finished: {} goes on with it, {} starts anew", journal,
                      setting("resume"), setting("overwrite"));
}

FormerFiles former_files(const ScoreOutputOptions& options, const std::vector<std::string>& classes, int64_t features) {
  const bool csv = options.format == ScoreFormat::kCsv;
  return {.kind = csv                                     ? FormerKind::kCsv
                  : options.format == ScoreFormat::kJsonl ? FormerKind::kJsonl
                                                          : FormerKind::kNpz,
          .out = options.out,
          .header = csv ? make_csv_rows(classes, options.rows)->header() : "",
          .embeddings = options.embeddings,
          .embeddings_header = npy_header(options.embeddings_dtype == DType::kF16 ? "<f2" : "<f4", 0, features),
          .shard = options.shard.has_value()};
}

ScoreOutput::ScoreOutput(const ScoreOutputOptions& options, const std::vector<std::string>& classes, int64_t features,
                         const Fingerprint& fingerprint, FileSystem& files)
    : options_(options), classes_(classes), files_(files) {
  check_score_output(options_);
  keeps_ = !options_.out.empty() && is_file(options_.out);
  if (options_.start == ScoreStart::kResume && keeps_) {
    if (std::optional<ScoreJournal> journal = load_journal(journal_path(options_.out))) {
      if (const auto difference = first_difference(journal->fingerprint, fingerprint))
        throw usage_error("{}: {} was begun with {}, now it is {}: give the same, or start anew with {}",
                          setting("resume"), options_.out, difference->first, difference->second, setting("overwrite"));
      now_ = *std::move(journal);
      resumed_ = true;
      saved_rows_ = now_.rows;
      has_journal_ = true;
    }
  }
  now_.fingerprint = fingerprint;
  now_.machine = options_.machine;
  const std::vector<std::string> paths = paths_of(options_);
  if (resumed_ && !std::equal(paths.begin(), paths.end(), now_.files.begin(), now_.files.end(),
                              [](const std::string& path, const auto& file) { return path == file.path; }))
    throw usage_error("{}: {} was begun with other files for {} or {}: give the same, or start anew with {}",
                      setting("resume"), options_.out, setting("embeddings"), setting("errors"), setting("overwrite"));
  if (!resumed_)
    for (const std::string& path : paths) now_.files.push_back({.path = path, .bytes = 0});
  if (!complete()) {
    try {
      open_files();
      make_sinks(features);
      if (options_.retry_errors) {
        former_ = std::make_unique<FormerRows>(former_files(options_, classes_, features));
        former_->skip(now_.rows);
      }
    } catch (...) {
      if (!has_journal_) discard();
      throw;
    }
  }
  whole_ = now_;
  since_saving_.restart();
}

ScoreOutput::~ScoreOutput() {
  if (!has_journal_ && !finished_) discard();
}

bool ScoreOutput::locked() const {
  return std::all_of(open_.begin(), open_.end(), [](const auto& file) { return file->locked(); });
}

void ScoreOutput::discard() {
  for (const auto& file : open_) file->discard();
}

void ScoreOutput::open_files() {
  for (const ScoreJournal::File& file : now_.files) {
    if (resumed_ && is_file(file.path) && !is_there(partial(file.path)))
      throw data_error("{}: is gone, {} bytes of it were there: start anew with {}", partial(file.path), file.bytes,
                       setting("overwrite"));
    open_.push_back(std::make_unique<GrowingFile>(file.path, files_));
  }
  // Only now, with all files locked, is it sure that nobody else is at work here.
  if (options_.start == ScoreStart::kOverwrite && keeps_) remove_former();
  for (size_t i = 0; i < open_.size(); ++i) open_[i]->resize(now_.files[i].bytes);
}

// What a former run left, with which nobody will go on.
void ScoreOutput::remove_former() {
  std::optional<ScoreJournal> former;
  try {
    former = load_journal(journal_path(options_.out));
  } catch (const Error&) {  // it is removed, whatever it holds
  }
  remove_journal();
  if (!former) return;
  for (const ScoreJournal::File& file : former->files)
    if (std::none_of(open_.begin(), open_.end(), [&](const auto& f) { return f->path() == file.path; }))
      files_.unlink(partial(file.path).c_str());
}

void ScoreOutput::make_sinks(int64_t features) {
  const auto classes = static_cast<int64_t>(classes_.size());
  size_t next = 0;
  const auto file = [&]() -> GrowingFile& { return *open_[next++]; };
  if (options_.out.empty() || is_text(options_.format)) {
    auto rows = options_.format == ScoreFormat::kCsv ? make_csv_rows(classes_, options_.rows)
                                                     : make_jsonl_rows(classes_, options_.rows);
    sinks_.push_back(options_.out.empty() ? make_printing_sink(options_.print, std::move(rows))
                                          : make_text_sink(file(), std::move(rows)));
  } else if (options_.format == ScoreFormat::kNpy) {
    sinks_.push_back(make_scores_sink(file(), classes));
  } else {
    GrowingFile& scores = file();
    sinks_.push_back(make_npz_sink(scores, file(), classes));
  }
  if (!options_.embeddings.empty()) sinks_.push_back(make_embeddings_sink(file(), features, options_.embeddings_dtype));
  if (!options_.errors.empty()) sinks_.push_back(make_errors_sink(file()));
  if (options_.shard) {
    shard_file_ = &file();
    sinks_.push_back(options_.unordered ? make_unordered_shard_sink(*shard_file_)
                                        : make_shard_sink(*shard_file_, now_.place.pictures));
  }
}

// Up to the next row with an error. False where there is none.
bool ScoreOutput::keep_former() {
  FormerRow row;
  while (former_->next(row)) {
    if (!row.picture.error.empty()) return true;
    for (const auto& sink : sinks_) sink->keep(row);
    ++now_.rows;
  }
  return false;
}

void ScoreOutput::add(const ScoredPicture& picture) {
  if (former_ && !keep_former())
    throw internal_error("{}: {} is read again and had no error", options_.out, picture.name);
  for (const auto& sink : sinks_) sink->add(picture);
  ++now_.rows;
  now_.failed += picture.error.empty() ? 0 : 1;
  now_.unreadable += picture.unread ? 1 : 0;
  if (options_.unordered) unscored_.remove(picture.place.index);
  if (picture.place.index < now_.place.pictures) return;
  now_.place.pictures = picture.place.index + 1;
  now_.place.names = picture.place.names;
  now_.place.files = picture.place.files;
  now_.place.last = picture.name;
}

void ScoreOutput::end_batch() {
  if (!keeps_) return;
  if (options_.unordered) now_.missing = unscored_.before(now_.place.pictures);
  for (size_t i = 0; i < open_.size(); ++i) now_.files[i].bytes = open_[i]->size();
  whole_ = now_;
  if (since_saving_.seconds() >= options_.save_seconds) save();
}

void ScoreOutput::save() {
  if (!keeps_ || whole_.rows == saved_rows_) return;
  for (const auto& file : open_) file->sync();
  write_journal(whole_);
  since_saving_.restart();
}

void ScoreOutput::write_journal(const ScoreJournal& journal) {
  try {
    save_journal(journal, journal_path(options_.out), files_);
  } catch (const Error& e) {
    // The journal may be there all the same: if only the sync of its folder failed. What it tells of must stay.
    has_journal_ = has_journal_ || may_exist(journal_path(options_.out));
    // The files could be made when the run began, so whoever asked for them is not at fault.
    throw Error(ErrorKind::kSystem, e.marked());
  }
  saved_rows_ = journal.rows;
  has_journal_ = true;
}

void ScoreOutput::finish(const ListingPlace& listed) {
  if (!complete()) {
    if (former_ && keep_former())
      throw internal_error("{}: not all rows with an error were written anew", options_.out);
    for (const auto& sink : sinks_) sink->end();
    for (size_t i = 0; i < open_.size(); ++i) now_.files[i].bytes = open_[i]->size();
    if (shard_file_ != nullptr) {
      ShardFooter footer = {.shard = *options_.shard,
                            .fingerprint = now_.fingerprint,
                            .listed = listed,
                            .rows = now_.rows,
                            .failed = now_.failed,
                            .files = {}};
      std::erase_if(footer.fingerprint, [](const auto& pair) {
        return pair.first == setting("shard") || pair.first == setting("retry_errors") || pair.first == "inputs";
      });
      const auto bytes_of = [&](const std::string& path) -> std::optional<int64_t> {
        for (const ScoreJournal::File& file : now_.files)
          if (file.path == path) return file.bytes;
        return std::nullopt;
      };
      for (const auto& [role, path] : {std::pair<std::string, std::string>("out", options_.out),
                                       {setting("embeddings"), options_.embeddings},
                                       {setting("errors"), options_.errors}})
        if (!path.empty()) footer.files[role] = {.path = relative_to(options_.out, path), .bytes = bytes_of(path)};
      write_shard_footer(*shard_file_, footer, options_.unordered);
      now_.files.back().bytes = shard_file_->size();
    }
    for (const auto& file : open_) file->sync();
    now_.missing.clear();
    now_.complete = true;
    // One file alone, of which nothing was saved yet, needs no journal: either it is renamed, or it is not.
    if (keeps_ && (has_journal_ || open_.size() > 1)) write_journal(now_);
  }
  publish();
  finished_ = true;
}

// An earlier run may have done a part of it.
void ScoreOutput::publish() {
  const bool zipped = !options_.out.empty() && options_.format == ScoreFormat::kNpz;
  const NpzParts parts = zipped ? npz_parts(written_path(options_.out)) : NpzParts();
  const NpzParts partial_parts = {.scores = parts.scores + kPartialEnding, .names = parts.names + kPartialEnding};
  const bool has_parts = zipped && is_there(partial_parts.scores) && is_there(partial_parts.names);
  if (has_parts) write_npz(partial_parts, classes_, options_.out, files_);
  const size_t first = zipped ? 2 : 0;
  for (size_t i = first; i < now_.files.size(); ++i) {
    const auto& [path, bytes] = now_.files[i];
    if (i < open_.size()) {
      open_[i]->publish();
    } else if (is_file(path) && is_there(partial(path))) {
      GrowingFile file(path, files_);
      file.resize(bytes);
      file.publish();
    } else if (is_file(path) && !is_there(path)) {
      throw data_error("{}: is gone: start anew with {}", partial(path), setting("overwrite"));
    }
  }
  if (zipped && !has_parts && !is_there(options_.out))
    throw data_error("{}: is gone: start anew with {}", partial_parts.scores, setting("overwrite"));
  if (zipped)
    for (const std::string& part : {partial_parts.scores, partial_parts.names}) files_.unlink(part.c_str());
  if (keeps_) remove_journal();
}

void ScoreOutput::remove_journal() {
  files_.unlink(journal_path(options_.out).c_str());
  has_journal_ = false;
  saved_rows_ = 0;
}

}  // namespace resflow
