#include "pipeline/stream_loader.h"

#include <atomic>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <utility>

#include "io/core/error.h"
#include "pipeline/loader_flow.h"

namespace resflow {
namespace {

// Pictures as their source lists them.
class SourceRows : public RowSource {
 public:
  SourceRows(PictureSource& source, int batch) : source_(source), batch_(batch) {}

  void start(Slot& slot, int64_t number) override {
    slot.begun = batch_;
    slot.rows = 0;
    slot.names.resize(static_cast<size_t>(batch_));
    slot.batch.names.resize(static_cast<size_t>(batch_));
    slot.places.resize(static_cast<size_t>(batch_));
    slot.batch.places.resize(static_cast<size_t>(batch_));
    for (int64_t row = 0; row < batch_; ++row) {
      slot.batch.samples.push_back(number * batch_ + row);
      slot.batch.labels.push_back(-1);
    }
  }

  bool lists() const override { return true; }
  bool ended() const override { return ended_; }
  bool broke_off() const override { return broke_off_; }

  bool list(const Row& row, Worker& worker) override {
    if (ended_) return false;
    const auto index = static_cast<size_t>(row.index);
    Slot& slot = *row.slot;
    Picture& picture = worker.picture;
    picture.unread = false;
    try {
      if (sample(slot, index) != listed_)
        throw internal_error("picture {} is asked for as number {}", listed_, sample(slot, index));
      if (source_.next(picture)) {
        slot.names[index] = picture.name;
        slot.places[index] = picture.place;
        ++slot.rows;
        ++listed_;
        if (picture.unread)
          slot.errors[index] = std::make_exception_ptr(UnreadableFile(picture.name + ": " + picture.error));
        else if (!picture.error.empty())
          slot.errors[index] = std::make_exception_ptr(data_error("{}: {}", picture.name, picture.error));
        return true;
      }
    } catch (const Error& error) {
      broke_off_ = error.kind() == ErrorKind::kSystem;
      failure_ = std::current_exception();
    } catch (...) {
      failure_ = std::current_exception();
    }
    ended_ = true;
    return false;
  }

  int64_t sample(const Slot& slot, size_t row) const override {
    return slot.batch.number * batch_ + static_cast<int64_t>(row);
  }

  const std::string& name(const Slot& slot, size_t row) const override { return slot.names[row]; }

  std::span<const uint8_t> read(const Row& /*row*/, Worker& worker, const PictureReading& reading) const override {
    const Picture& picture = worker.picture;
    if (picture.path.empty()) {
      if (std::ssize(picture.bytes) > kLargeBytes) reading.before_large();
      return picture.bytes;
    }
    try {
      return read_picture_file(picture.path, worker.buffer, reading);
    } catch (const UnreadableFile& error) {
      throw UnreadableFile(by_name(picture, error));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) throw;
      throw Error(error.kind(), by_name(picture, error));
    }
  }

  // After a run. How many pictures the source gave, and what it threw.
  int64_t listed() const { return listed_; }
  const std::exception_ptr& failure() const { return failure_; }

 private:
  // What the error says, beginning with the picture's name, which need not be its path.
  static std::string by_name(const Picture& picture, const Error& error) {
    const std::string path = picture.path + ": ";
    return error.marked().starts_with(path) ? picture.name + ": " + error.marked().substr(path.size()) : error.marked();
  }

  PictureSource& source_;
  const int batch_;
  std::atomic<bool> ended_ = false, broke_off_ = false;
  int64_t listed_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

struct StreamLoader::Impl {
  Impl(PictureSource& the_source, const Recipe& recipe, const StreamOptions& the_options)
      : source(the_source), options(the_options), flow(recipe, the_options) {
    flow.make_slots(options.slots);
  }

  PictureSource& source;
  StreamOptions options;
  LoaderFlow flow;
};

StreamLoader::StreamLoader(PictureSource& source, const Recipe& recipe, const StreamOptions& options)
    : impl_(std::make_unique<Impl>(source, recipe, options)) {}
StreamLoader::~StreamLoader() = default;

void StreamLoader::hold(int batches) { impl_->flow.hold(batches); }

EpochReport StreamLoader::run(const std::function<bool(const Batch&)>& consume) {
  SourceRows rows(impl_->source, impl_->options.batch);
  int64_t consumed = 0;
  EpochReport report = impl_->flow.run(rows, {}, [&](const Batch& batch) {
    consumed += batch.size + static_cast<int64_t>(batch.broken.size());
    return consume(batch);
  });
  // Whoever stops with the last picture has stopped nothing.
  if (report.stopped && rows.ended() && consumed == rows.listed()) report.stopped = false;
  if (!report.stopped && rows.failure()) std::rethrow_exception(rows.failure());
  return report;
}

}  // namespace resflow
