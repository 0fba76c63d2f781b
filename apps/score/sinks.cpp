#include "apps/score/sinks.h"

#include <limits>
#include <utility>

#include "apps/score/former_rows.h"
#include "apps/score/npz.h"
#include "io/formats/npy_file.h"

namespace resflow {
namespace {

class TextSink : public RowSink {
 public:
  TextSink(GrowingFile& file, std::unique_ptr<RowText> rows) : file_(file), rows_(std::move(rows)) {
    if (file_.size() == 0) file_.write(rows_->header());
  }

  void add(const ScoredPicture& picture) override {
    text_.clear();
    rows_->append(picture, text_);
    file_.write(text_);
  }
  void keep(const FormerRow& row) override { file_.write(row.text); }

 private:
  GrowingFile& file_;
  std::unique_ptr<RowText> rows_;
  std::string text_;
};

class PrintingSink : public RowSink {
 public:
  PrintingSink(TextOutput output, std::unique_ptr<RowText> rows)
      : output_(std::move(output)), rows_(std::move(rows)), text_(rows_->header()) {}

  void add(const ScoredPicture& picture) override {
    rows_->append(picture, text_);
    end();
  }

  // Where there were no rows, the header has not been given yet.
  void end() override {
    output_(text_);
    text_.clear();
  }

 private:
  TextOutput output_;
  std::unique_ptr<RowText> rows_;
  std::string text_;
};

class Matrix {
 public:
  Matrix(GrowingFile& file, int64_t columns, DType dtype) : file_(file), columns_(columns), dtype_(dtype) {
    if (file_.size() == 0) file_.write(header(0));
  }

  void add(std::span<const float> row) {
    text_.clear();
    if (dtype_ == DType::kF16)
      append_f16(row, text_);
    else
      append_f32(row, text_);
    file_.write(text_);
  }

  void add_bytes(std::string_view row) { file_.write(row); }

  void add_broken() {
    broken_.resize(static_cast<size_t>(columns_), std::numeric_limits<float>::quiet_NaN());
    add(broken_);
  }

  void end() {
    const int64_t row_bytes = columns_ * static_cast<int64_t>(dtype_bytes(dtype_));
    file_.rewrite(0, header((file_.size() - kNpyHeaderBytes) / row_bytes));
  }

 private:
  std::string header(int64_t rows) const { return npy_header(dtype_ == DType::kF16 ? "<f2" : "<f4", rows, columns_); }

  GrowingFile& file_;
  int64_t columns_;
  DType dtype_;
  std::string text_;
  std::vector<float> broken_;
};

class ScoresSink : public RowSink {
 public:
  ScoresSink(GrowingFile& file, int64_t classes) : matrix_(file, classes, DType::kF32) {}

  void add(const ScoredPicture& picture) override {
    if (picture.probabilities.empty()) return matrix_.add_broken();
    row_.assign(picture.probabilities.begin(), picture.probabilities.end());
    matrix_.add(row_);
  }
  void end() override { matrix_.end(); }

 private:
  Matrix matrix_;
  std::vector<float> row_;
};

class EmbeddingsSink : public RowSink {
 public:
  EmbeddingsSink(GrowingFile& file, int64_t features, DType dtype) : matrix_(file, features, dtype) {}

  void add(const ScoredPicture& picture) override {
    if (picture.features.empty()) return matrix_.add_broken();
    matrix_.add(picture.features);
  }
  void keep(const FormerRow& row) override { matrix_.add_bytes(row.embeddings); }
  void end() override { matrix_.end(); }

 private:
  Matrix matrix_;
};

class NpzSink : public RowSink {
 public:
  NpzSink(GrowingFile& scores, GrowingFile& names, int64_t classes) : scores_(scores, classes), names_(names) {}

  void add(const ScoredPicture& picture) override {
    scores_.add(picture);
    names_.write(npz_name_record(picture.name, picture.error));
  }
  void end() override { scores_.end(); }

 private:
  ScoresSink scores_;
  GrowingFile& names_;
};

class ErrorsSink : public RowSink {
 public:
  explicit ErrorsSink(GrowingFile& file) : file_(file) {
    if (file_.size() == 0) file_.write(error_csv_header());
  }

  void add(const ScoredPicture& picture) override {
    if (!picture.error.empty()) file_.write(error_csv_row(picture));
  }

 private:
  GrowingFile& file_;
};

}  // namespace

std::unique_ptr<RowSink> make_text_sink(GrowingFile& file, std::unique_ptr<RowText> rows) {
  return std::make_unique<TextSink>(file, std::move(rows));
}

std::unique_ptr<RowSink> make_printing_sink(TextOutput output, std::unique_ptr<RowText> rows) {
  return std::make_unique<PrintingSink>(std::move(output), std::move(rows));
}

std::unique_ptr<RowSink> make_scores_sink(GrowingFile& file, int64_t classes) {
  return std::make_unique<ScoresSink>(file, classes);
}

std::unique_ptr<RowSink> make_embeddings_sink(GrowingFile& file, int64_t features, DType dtype) {
  return std::make_unique<EmbeddingsSink>(file, features, dtype);
}

std::unique_ptr<RowSink> make_npz_sink(GrowingFile& scores, GrowingFile& names, int64_t classes) {
  return std::make_unique<NpzSink>(scores, names, classes);
}

std::unique_ptr<RowSink> make_errors_sink(GrowingFile& file) { return std::make_unique<ErrorsSink>(file); }

}  // namespace resflow
