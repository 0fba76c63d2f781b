#include "apps/train/folder.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "apps/pages/svg_plot.h"
#include "io/core/error.h"
#include "io/files/file.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

// Shortest text that reads back as the same number.
std::string number(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

}  // namespace

RunFolder::RunFolder(const std::string& path, Open how) : path_(path) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  if (path_.empty()) throw usage_error("{} is empty: wanted a folder", setting("out"));
  std::error_code error;
  const bool has_run = fs::exists(last(), error);
  if (how == Open::kResume && !has_run)
    throw usage_error("{}: {} holds no run (no last.resflow): start one without {}", setting("resume"), path_,
                      setting("resume"));
  if (how == Open::kNew && (has_run || fs::exists(best(), error)))
    throw usage_error("{} {} holds a run already: {} goes on with it, {} replaces it", setting("out"), path_,
                      setting("resume"), setting("overwrite"));
  if (fs::exists(path_, error) && !fs::is_directory(path_, error))
    throw usage_error("{} {}: is a file, wanted a folder", setting("out"), path_);
  fs::create_directories(path_, error);
  if (error)
    throw usage_error("{} {}: cannot make the folder: {}; give another one", setting("out"), path_, error.message());
}

void RunFolder::clear() const {
  for (const std::string& file : {last(), best()}) {
    fs::remove(file);
    for (int generation = 1; fs::remove(fmt::format("{}.{}", file, generation)); ++generation) {
    }
  }
  fs::remove(history());
  fs::remove(config());
  fs::remove(report_path(last()));
  fs::remove_all(tensorboard());
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
