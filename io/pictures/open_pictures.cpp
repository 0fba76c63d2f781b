#include "io/pictures/open_pictures.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/files/glob.h"
#include "io/files/path_facts.h"
#include "io/images/image_format.h"
#include "io/pack/head.h"
#include "io/pictures/archive_source.h"
#include "io/pictures/dataset.h"
#include "io/pictures/folder_source.h"
#include "io/pictures/pack_source.h"

namespace resflow {
namespace {

class FileSource : public PictureSource {
 public:
  explicit FileSource(std::string path) : path_(std::move(path)) {}

  bool next(Picture& picture) override {
    if (std::exchange(given_, true)) return false;
    picture.name = picture.path = path_;
    picture.bytes.clear();
    picture.error.clear();
    return true;
  }

  std::optional<int64_t> count() const override { return 1; }

 private:
  std::string path_;
  bool given_ = false;
};

[[noreturn]] void fail_unmatched(const std::string& pattern) {
  throw data_error("{}: there is no such file, and none that matches", pattern);
}

// A match that has gone since is a file that is absent, and no pattern; nor is one called "-" a list.
Input input_of(const Glob::Match& match) {
  Input input = recognise_input(match.path);
  if (input.kind == InputKind::kGlob || input.kind == InputKind::kList) input.kind = InputKind::kFile;
  return input;
}

class GlobSource : public PictureSource {
 public:
  GlobSource(const std::string& pattern, std::function<bool()> stop, Selection selection)
      : pattern_(pattern), stop_(std::move(stop)), selection_(std::move(selection)), glob_(pattern) {}

  bool next(Picture& picture) override {
    for (;;) {
      if (source_ && source_->next(picture)) return true;
      if (source_) left_out_.add(source_->left_out());
      source_ = nullptr;
      Glob::Match match;
      if (!glob_.next(match)) break;
      found_ = true;
      if (!match.error.empty()) {
        picture.name = picture.path = match.path;
        picture.bytes.clear();
        picture.error = std::move(match.error);
        picture.unread = true;
        return true;
      }
      source_ = open_pictures(input_of(match), {.stop = stop_}, selection_);
    }
    if (!found_) fail_unmatched(pattern_);
    return false;
  }

  PassedOver left_out() const override { return left_out_; }

 private:
  std::string pattern_;
  std::function<bool()> stop_;
  Selection selection_;
  PassedOver left_out_;
  Glob glob_;
  bool found_ = false;
  std::unique_ptr<PictureSource> source_;  // of the match at hand
};

// False too where the file cannot be read: whoever opens it says so.
bool holds_archive(const std::string& path) {
  std::array<uint8_t, 512> bytes{};
  try {
    const InputFile file(path);
    const auto count = std::min(bytes.size(), static_cast<size_t>(file.size()));
    file.read(0, std::span(bytes).first(count));
    return begins_as_archive(std::span(bytes).first(count));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kSystem) throw;
    return false;
  }
}

InputKind kind_of(const std::string& path) {
  if (path == "-") return InputKind::kList;
  const auto status = facts_of(path);
  if (!status) {
    if (has_wildcard(path)) return InputKind::kGlob;
    if (path.ends_with('/')) return InputKind::kFolder;
    return has_archive_extension(path) ? InputKind::kArchive : InputKind::kFile;
  }
  if (S_ISDIR(status->st_mode)) return InputKind::kFolder;
  if (has_image_extension(path)) return InputKind::kFile;
  if (S_ISFIFO(status->st_mode)) return InputKind::kArchive;
  if (!S_ISREG(status->st_mode)) return InputKind::kFile;
  if (is_pack(path)) return InputKind::kPack;
  return has_archive_extension(path) || holds_archive(path) ? InputKind::kArchive : InputKind::kFile;
}

// What it gives can be looked at without taking it away: what is absent, too, which is found so.
bool can_be_looked_at(const Input& input) {
  if (input.kind == InputKind::kFile || input.path == "-") return false;
  const auto status = facts_of(input.path);
  return !status || S_ISREG(status->st_mode) || S_ISDIR(status->st_mode);
}

// As far as the first picture, where that can be looked at; of a pattern that of its first match. Returns how many
// pictures there are, where that is known.
std::optional<int64_t> look_at(const Input& input, const ListOptions& list, const Selection& selection) {
  if (input.kind == InputKind::kFile) return 1;
  if (input.kind == InputKind::kGlob) {
    Glob glob(input.path);
    Glob::Match match;
    if (!glob.next(match)) fail_unmatched(input.path);
    if (match.error.empty()) look_at(input_of(match), {.stop = list.stop}, selection);
    return std::nullopt;
  }
  if (!can_be_looked_at(input)) return std::nullopt;
  const std::unique_ptr<PictureSource> source = open_pictures(input, list, selection);
  Picture first;
  source->next(first);
  return source->count();
}

}  // namespace

Input recognise_input(const std::string& argument) { return {argument, kind_of(argument)}; }

std::unique_ptr<PictureSource> open_pictures(const Input& input, const ListOptions& list, const Selection& selection) {
  switch (input.kind) {
    case InputKind::kFile:
      break;
    case InputKind::kFolder:
      return std::make_unique<FolderSource>(input.path, kMaxSorted, selection);
    case InputKind::kPack:
      return std::make_unique<PackSource>(input.path, machine_files(), selection);
    case InputKind::kArchive:
      return std::make_unique<ArchiveSource>(input.path, kMaxMember, list.stop, selection);
    case InputKind::kGlob:
      return std::make_unique<GlobSource>(input.path, list.stop, selection);
    case InputKind::kList:
      return std::make_unique<ListSource>(input.path, list);
  }
  return std::make_unique<FileSource>(input.path);
}

InputSource::InputSource(std::vector<Input> inputs, ListOptions list, Selection selection)
    : inputs_(std::move(inputs)), list_(std::move(list)), selection_(std::move(selection)) {
  for (const Input& input : inputs_) {
    const std::optional<int64_t> pictures = look_at(input, list_, selection_);
    count_ = count_ && pictures ? std::optional(*count_ + *pictures) : std::nullopt;
  }
}

bool InputSource::next(Picture& picture) {
  for (;;) {
    if (source_ && source_->next(picture)) return true;
    if (source_) left_out_.add(source_->left_out());
    source_ = nullptr;
    if (next_ == inputs_.size()) return false;
    source_ = open_pictures(inputs_[next_++], list_, selection_);
  }
}

PassedOver InputSource::left_out() const {
  PassedOver all = left_out_;
  if (source_) all.add(source_->left_out());
  return all;
}

}  // namespace resflow
