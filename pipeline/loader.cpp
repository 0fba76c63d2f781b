#include "pipeline/loader.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "io/core/error.h"
#include "pipeline/loader_flow.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

// The samples of a data set, in an epoch's order.
class EpochRows : public RowSource {
 public:
  EpochRows(const Dataset& dataset, std::vector<int64_t> order, int batch)
      : dataset_(dataset), order_(std::move(order)), batch_(batch) {}

  void start(Slot& slot, int64_t number) override {
    Batch& batch = slot.batch;
    slot.begun = slot.rows =
        static_cast<int>(std::min<int64_t>(batch_, static_cast<int64_t>(order_.size()) - number * batch_));
    for (size_t row = 0; row < static_cast<size_t>(slot.rows); ++row) {
      batch.samples.push_back(sample(slot, row));
      batch.labels.push_back(sample_of(slot, row).label);
    }
  }

  int64_t sample(const Slot& slot, size_t row) const override {
    return order_[static_cast<size_t>(slot.batch.number * batch_) + row];
  }

  const std::string& name(const Slot& slot, size_t row) const override { return sample_of(slot, row).path; }

  std::span<const uint8_t> read(const Row& row, Worker& worker, const PictureReading& reading) const override {
    return read_sample(sample_of(*row.slot, static_cast<size_t>(row.index)), worker.buffer, reading);
  }

 private:
  const Sample& sample_of(const Slot& slot, size_t row) const {
    return dataset_.samples[static_cast<size_t>(sample(slot, row))];
  }

  const Dataset& dataset_;
  std::vector<int64_t> order_;
  int batch_;
};

}  // namespace

struct Loader::Impl {
  Impl(const Dataset& set, const Recipe& recipe, const LoaderOptions& what);
  int64_t batches() const;
  std::vector<int64_t> order(uint64_t epoch) const;

  const Dataset& dataset;
  LoaderOptions options;
  LoaderFlow flow;
};

Loader::Impl::Impl(const Dataset& set, const Recipe& recipe, const LoaderOptions& what)
    : dataset(set),
      options(what),
      flow(recipe,
           {.batch = what.batch,
            .threads = what.threads,
            .slots = what.slots,
            .on_error = what.on_error,
            .exif = what.exif,
            .decode = what.decode,
            .reading = what.reading},
           static_cast<int64_t>(set.samples.size())) {
  if (options.sampler == Sampler::kWeighted)
    check_weights(options.weights, static_cast<int64_t>(dataset.samples.size()));
  else if (!options.weights.empty())
    throw usage_error("weights of samples go with the weighted sampler");
  flow.make_slots(batches());
}

int64_t Loader::Impl::batches() const {
  const auto samples = static_cast<int64_t>(dataset.samples.size());
  return options.drop_last ? samples / options.batch : (samples + options.batch - 1) / options.batch;
}

std::vector<int64_t> Loader::Impl::order(uint64_t epoch) const {
  if (options.sampler == Sampler::kWeighted) return weighted_order(options.weights, options.seed, epoch);
  if (options.shuffle) return epoch_order(static_cast<int64_t>(dataset.samples.size()), options.seed, epoch);
  std::vector<int64_t> order(dataset.samples.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Loader::Loader(const Dataset& dataset, const Recipe& recipe, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(dataset, recipe, options)) {}
Loader::~Loader() = default;

int64_t Loader::batches_per_epoch() const { return impl_->batches(); }

EpochReport Loader::run(uint64_t epoch, int64_t first_batch, const std::function<bool(const Batch&)>& consume) {
  if (first_batch < 0) throw usage_error("first batch {}: wanted at least 0", first_batch);
  if (first_batch >= impl_->batches()) return {};
  EpochRows rows(impl_->dataset, impl_->order(epoch), impl_->options.batch);
  return impl_->flow.run(rows,
                         {.keys = {.seed = impl_->options.seed, .epoch = epoch},
                          .first_batch = first_batch,
                          .end_batch = impl_->batches(),
                          .keep_broken = true},
                         consume);
}

}  // namespace resflow
