#include "apps/train/folder.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "apps/pages/svg_plot.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/file.h"
#include "io/files/file_errors.h"
#include "io/files/output_place.h"
#include "io/files/partial_file.h"
#include "io/files/path_facts.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

// Shortest text that reads back as the same number.
std::string number(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

constexpr const char* kLast = "/last.resflow";

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// FILE.1, FILE.2, ... that are there, in this order.
std::vector<std::string> generations_of(const std::string& file) {
  const fs::path path = written_path(file);
  const std::string stem = path.filename().string() + ".";
  std::map<int64_t, std::string> found;
  std::error_code error;
  for (fs::directory_iterator at(folder_of(path.string()), error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(stem)) continue;
    const std::string number = name.substr(stem.size());
    if (number.empty() || number.size() > 9 || number.find_first_not_of("0123456789") != std::string::npos) continue;
    found[std::stoll(number)] = at->path().string();
  }
  std::vector<std::string> all;
  all.reserve(found.size());
  for (const auto& [number, generation] : found) all.push_back(generation);
  return all;
}

std::vector<std::string> states_in(const std::string& folder) {
  const std::string last = without_slashes(folder) + kLast;
  std::vector<std::string> all;
  if (is_there(last)) all.push_back(last);
  for (const std::string& generation : generations_of(last)) all.push_back(generation);
  return all;
}

[[noreturn]] void fail_to_remove(const std::string& path, const std::error_code& error) {
  const std::string sentence =
      fmt::format("{}: of the former run, cannot be removed: {}", printable(path), error.message());
  throw Error(is_no_permission(error.value()) ? ErrorKind::kUsage : ErrorKind::kSystem, sentence);
}

}  // namespace

std::vector<std::string> saved_states(const std::string& run_folder) {
  std::vector<std::string> all = states_in(run_folder);
  if (all.empty())
    throw usage_error("{}: {} holds no run (no last.resflow): start one without {}", setting("resume"), run_folder,
                      setting("resume"));
  return all;
}

bool holds_run(const std::string& run_folder) { return !states_in(run_folder).empty(); }

RunFolder::RunFolder(const std::string& path, Open how) : path_(without_slashes(path)) {
  if (path_.empty()) throw usage_error("{} is empty: wanted a folder", setting("out"));
  check(how);
  if (is_there(path_) && !is_folder(path_))
    throw usage_error("{} {}: is a file, wanted a folder", setting("out"), path_);
  make_folders(path_, fmt::format("{} {}", setting("out"), path_));
  lock_ = std::make_shared<const FileLock>(path_ + "/resflow.lock", fmt::format("{} {}", setting("out"), path_));
  check(how);  // another run may have begun before it was locked
  // What a run left that was killed while it wrote, also of files that this one may not write again.
  for (const std::string& file : {last(), best(), history(), config(), report_path(last())}) {
    try {
      remove_stale_partials(output_place(file), machine_files());
    } catch (const Error&) {  // a folder is in its place, say: whoever writes the file says so
    }
  }
}

void RunFolder::check(Open how) const {
  if (how == Open::kResume) saved_states(path_);
  if (how == Open::kNew && (holds_run(path_) || is_there(best())))
    throw usage_error("{} {} holds a run already: {} goes on with it, {} replaces it", setting("out"), path_,
                      setting("resume"), setting("overwrite"));
  if (how != Open::kOverwrite) return;
  std::vector<std::string> files = former_files();
  files.push_back(last());
  for (const std::string& file : files)
    if (is_folder(file, LastLink::kItself))
      throw usage_error("{}: {} is a folder, which no run made: move it away", setting("overwrite"), printable(file));
}

std::vector<std::string> RunFolder::former_files() const {
  std::vector<std::string> all = generations_of(last());
  all.push_back(damaged());
  for (const std::string& generation : generations_of(best())) all.push_back(generation);
  for (const std::string& file : {best(), history(), config(), report_path(last())}) all.push_back(file);
  return all;
}

void RunFolder::clear_former() const {
  std::error_code error;
  for (const std::string& file : former_files())
    if (fs::remove(file, error); error) fail_to_remove(file, error);
  if (fs::remove_all(tensorboard(), error); error) fail_to_remove(tensorboard(), error);
}

bool RunFolder::has_last() const { return is_there(last()); }

void RunFolder::set_damaged_aside() const {
  if (!has_last()) return;
  std::error_code error;
  fs::rename(last(), damaged(), error);
  if (error) throw system_error("{}: cannot be renamed to {}: {}", last(), damaged(), error.message());
}

std::string report_path(const std::string& checkpoint) {
  return (fs::path(checkpoint).parent_path() / "report.html").string();
}

void RunFolder::write_config(const std::string& toml) const { replace_text_file(config(), toml); }

void RunFolder::write_lr_find(const std::vector<LrFindPoint>& points) const {
  replace_text_file(lr_find_csv(), resflow::lr_find_csv(points));
  replace_text_file(lr_find_plot(), svg_document(resflow::lr_find_plot(points)));
}

int64_t RunFolder::free_bytes() const {
  std::error_code error;
  const fs::space_info space = fs::space(path_, error);
  return error ? -1 : static_cast<int64_t>(space.available);
}

void RunFolder::write_history(const std::vector<EpochRecord>& records) const {
  std::string text = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,unreadable,broken\n";
  for (const EpochRecord& r : records)
    text += fmt::format("{},{},{},{},{},{},{:.3f},{},{}\n", r.epoch, number(r.train_loss), number(r.train_accuracy),
                        number(r.val_loss), number(r.val_accuracy), number(r.learning_rate), r.seconds,
                        r.left_out.unreadable, r.left_out.broken);
  replace_text_file(history(), text);
}

}  // namespace resflow
