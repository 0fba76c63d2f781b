#include "apps/score/merged_rows.h"

#include <algorithm>
#include <utility>

#include "apps/score/npz.h"
#include "io/core/error.h"
#include "io/files/sequential_file.h"
#include "io/formats/npy_file.h"

namespace resflow {
namespace {

// A file that is begun anew, and leaves nothing behind if it does not become whole.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : file_(path, machine_files(), GrowingFile::Begin::kAnew) {}
  GrowingFile& operator*() { return file_; }
  GrowingFile* operator->() { return &file_; }

 private:
  GrowingFile file_;
};

// How much is read of each of so many inputs at once. All of them are needed in turn.
size_t piece_of_each(size_t inputs) {
  constexpr size_t kMostMemory = size_t{256} << 20, kLeast = size_t{4} << 10;
  return std::clamp(kMostMemory / std::max<size_t>(inputs, 1), kLeast, kReadAtOnce);
}

class MergedText : public MergedRows {
 public:
  MergedText(bool csv, const std::vector<std::string>& inputs, const std::string& out)
      : csv_(csv), paths_(inputs), out_(out) {
    std::string header;
    for (const std::string& path : inputs) {
      inputs_.push_back(std::make_unique<SequentialFile>(path, piece_of_each(inputs.size())));
      if (!csv) continue;
      const std::string its(row(inputs_.size() - 1));
      if (inputs_.size() == 1) out_->write(header = its);
      if (its != header) throw data_error("{}: has other columns than {}", path, inputs[0]);
    }
  }

  void take(size_t from) override { out_->write(row(from)); }

  void finish() override {
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i]->next_row(csv_)) throw data_error("{}: has more rows than its shard", paths_[i]);
    out_->publish();
  }

 private:
  std::string_view row(size_t from) {
    const auto row = inputs_[from]->next_row(csv_);
    if (!row) throw data_error("{}: has fewer rows than its shard", paths_[from]);
    return *row;
  }

  bool csv_;
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<SequentialFile>> inputs_;
  NewFile out_;
};

class MergedMatrix : public MergedRows {
 public:
  MergedMatrix(const std::vector<std::string>& inputs, const std::string& out) : paths_(inputs), out_(out) {
    for (const std::string& path : inputs) {
      auto& input = inputs_.emplace_back(std::make_unique<SequentialFile>(path, piece_of_each(inputs.size())));
      const auto header = input->next(static_cast<size_t>(kNpyHeaderBytes));
      const std::optional<NpyShape> shape = header ? parse_npy_header(*header) : std::nullopt;
      if (!shape || !shape->columns || (shape->descr != "<f4" && shape->descr != "<f2"))
        throw data_error("{}: is no matrix as resflow writes it", path);
      if (inputs_.size() == 1) shape_ = *shape;
      if (shape->descr != shape_.descr || shape->columns != shape_.columns)
        throw data_error("{}: has rows of {} x {}, {} of {} x {}", path, *shape->columns, shape->descr, inputs[0],
                         *shape_.columns, shape_.descr);
    }
    shape_.rows = 0;
    row_bytes_ = static_cast<size_t>(*shape_.columns) * (shape_.descr == "<f2" ? 2 : 4);
    out_->write(npy_header(shape_.descr, 0, shape_.columns));
  }

  void take(size_t from) override {
    const auto row = inputs_[from]->next(row_bytes_);
    if (!row) throw data_error("{}: has fewer rows than its shard", paths_[from]);
    out_->write(*row);
    ++shape_.rows;
  }

  void finish() override {
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i]->next(1)) throw data_error("{}: has more rows than its shard", paths_[i]);
    out_->rewrite(0, npy_header(shape_.descr, shape_.rows, shape_.columns));
    out_->publish();
  }

 private:
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<SequentialFile>> inputs_;
  NewFile out_;
  NpyShape shape_;
  size_t row_bytes_ = 0;
};

class MergedNpz : public MergedRows {
 public:
  MergedNpz(const std::vector<std::string>& inputs, const std::string& out)
      : paths_(inputs), out_(out), scores_(npz_parts(out).scores), names_(npz_parts(out).names) {
    for (const std::string& path : inputs) {
      inputs_.push_back(std::make_unique<NpzFile>(path, piece_of_each(4 * inputs.size())));
      if (inputs_.back()->classes() != inputs_.front()->classes())
        throw data_error("{}: has other classes than {}", path, inputs[0]);
    }
    sink_ = make_npz_sink(*scores_, *names_, static_cast<int64_t>(inputs_.front()->classes().size()));
  }

  void take(size_t from) override {
    if (!inputs_[from]->next(row_)) throw data_error("{}: has fewer rows than its shard", paths_[from]);
    sink_->add(row_);
  }

  void finish() override {
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i]->next(row_)) throw data_error("{}: has more rows than its shard", paths_[i]);
    sink_->end();
    scores_->sync();
    names_->sync();
    write_npz({.scores = scores_->partial_path(), .names = names_->partial_path()}, inputs_.front()->classes(), out_);
  }

 private:
  std::vector<std::string> paths_;
  std::string out_;
  std::vector<std::unique_ptr<NpzFile>> inputs_;
  NewFile scores_, names_;
  std::unique_ptr<RowSink> sink_;
  ScoredPicture row_;
};

}  // namespace

std::unique_ptr<MergedRows> merge_rows(ScoreFormat format, const std::vector<std::string>& inputs,
                                       const std::string& out) {
  if (is_text(format)) return std::make_unique<MergedText>(format == ScoreFormat::kCsv, inputs, out);
  if (format == ScoreFormat::kNpy) return std::make_unique<MergedMatrix>(inputs, out);
  return std::make_unique<MergedNpz>(inputs, out);
}

}  // namespace resflow
