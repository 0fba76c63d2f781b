#include "pipeline/loader.h"

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <exception>
#include <new>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "io/core/broken_reason.h"
#include "io/core/error.h"
#include "pipeline/delivery.h"
#include "pipeline/loader_flow.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

struct ReadRow {
  Row row;
  Worker* worker = nullptr;
  std::span<const uint8_t> bytes;
};

// A row that its source does not have.
constexpr int kNoRow = -1;

// Moves whole rows up over broken ones, so that rows [0, size) are whole and in order.
void close_gaps(Slot& slot) {
  Batch& batch = slot.batch;
  size_t kept = 0;
  for (size_t row = 0; row < static_cast<size_t>(slot.rows); ++row) {
    if (slot.errors[row]) continue;
    if (kept != row) {
      std::memcpy(batch.pixels + kept * slot.row_floats(), batch.pixels + row * slot.row_floats(),
                  slot.row_floats() * sizeof(float));
      batch.labels[kept] = batch.labels[row];
      batch.samples[kept] = batch.samples[row];
    }
    if (!slot.names.empty()) {
      batch.names[kept] = slot.names[row];
      batch.places[kept] = slot.places[row];
    }
    ++kept;
  }
  batch.size = static_cast<int>(kept);
  batch.labels.resize(kept);
  batch.samples.resize(kept);
}

// Why a file is broken, without its name. What is not the file's fault is thrown on.
std::string read_failure(const std::string& name, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& failure) {
    return broken_reason(failure, name);
  } catch (const std::bad_alloc&) {
    throw system_error("{}: not enough memory to decode it", name);
  }
}

}  // namespace

Slot::Slot(int capacity, int image_size)
    : pixels(DType::kF32, {capacity, 3, image_size, image_size}), errors(static_cast<size_t>(capacity)) {
  batch.capacity = capacity;
  batch.image_size = image_size;
  batch.pixels = pixels.values<float>().data();
  batch.labels.reserve(static_cast<size_t>(capacity));
  batch.samples.reserve(static_cast<size_t>(capacity));
}

LoaderFlow::LoaderFlow(const Recipe& recipe, const StreamOptions& options) : options_(options), recipe_(recipe) {
  if (options.batch < 1) throw usage_error("batch size {}: wanted at least 1", options.batch);
  if (options.threads < 1) throw usage_error("{} threads: wanted at least 1", options.threads);
  if (options.slots < 1) throw usage_error("{} batch slots: wanted at least 1", options.slots);
  arena_.initialize(options.threads, 1, tbb::task_arena::priority::low);
  for (int i = 0; i < options.threads; ++i)
    workers_.push_back(std::make_unique<Worker>(recipe, options.exif, options.decode));
}

LoaderFlow::~LoaderFlow() = default;

void LoaderFlow::make_slots(int64_t batches) {
  for (int64_t i = 0; i < std::min<int64_t>(options_.slots, batches); ++i)
    slots_.push_back(std::make_unique<Slot>(options_.batch, recipe_.size));
}

void LoaderFlow::hold(int batches) {
  for (; held_ < static_cast<size_t>(batches); ++held_)
    slots_.push_back(std::make_unique<Slot>(options_.batch, recipe_.size));
}

// One run: what the bodies of the nodes share.
struct LoaderFlow::Run {
  LoaderFlow& flow;
  RowSource& source;
  Keys keys;

  // Node bodies.
  void start(Slot& slot, int64_t number) const;
  ReadRow read(Row row, Worker& worker, std::atomic<int64_t>& bytes_read) const;
  void transform(const ReadRow& read) const;

  // Says of a finished batch which rows are broken. Throws where that is to stop the run.
  void name_broken(Slot& slot, bool keep, EpochReport& report) const;

  void stream(int64_t first_batch, int64_t end_batch, bool keep_broken,
              const std::function<bool(const Batch&)>& consume, EpochReport& report) const;
};

void LoaderFlow::Run::start(Slot& slot, int64_t number) const {
  Batch& batch = slot.batch;
  batch.number = number;
  batch.size = 0;
  batch.labels.clear();
  batch.samples.clear();
  batch.broken.clear();
  source.start(slot, number);
  slot.pending.store(slot.begun, std::memory_order_relaxed);
  std::fill_n(slot.errors.begin(), slot.begun, nullptr);
}

ReadRow LoaderFlow::Run::read(Row row, Worker& worker, std::atomic<int64_t>& bytes_read) const {
  ReadRow result{row, &worker, {}};
  std::exception_ptr& error = row.slot->errors[static_cast<size_t>(row.index)];
  if (error) return result;
  try {
    const auto from = Clock::now();
    result.bytes = source.read(row, worker);
    worker.reading += Clock::now() - from;
    bytes_read.fetch_add(static_cast<int64_t>(result.bytes.size()), std::memory_order_relaxed);
  } catch (...) {
    error = std::current_exception();
  }
  return result;
}

void LoaderFlow::Run::transform(const ReadRow& read) const {
  Slot& slot = *read.row.slot;
  const auto index = static_cast<size_t>(read.row.index);
  if (slot.errors[index]) return;
  try {
    Worker& worker = *read.worker;
    RecipeWorker& recipe_worker = worker.recipe_worker;
    const auto from = Clock::now();
    worker.decoder.open(read.bytes, source.name(slot, index));
    recipe_worker.plan(worker.decoder, keys.seed, keys.epoch, static_cast<uint64_t>(slot.batch.samples[index]));
    recipe_worker.decode(worker.decoder);
    const auto decoded = Clock::now();
    recipe_worker.resize();
    recipe_worker.augment();
    recipe_worker.normalize(slot.batch.pixels + index * slot.row_floats());
    worker.decoding += decoded - from;
    worker.transforming += Clock::now() - decoded;
  } catch (...) {
    slot.errors[index] = std::current_exception();
  }
}

void LoaderFlow::Run::name_broken(Slot& slot, bool keep, EpochReport& report) const {
  for (size_t row = 0; row < static_cast<size_t>(slot.rows); ++row) {
    const std::exception_ptr error = std::exchange(slot.errors[row], nullptr);
    if (!error) continue;
    const std::string& name = source.name(slot, row);
    const std::string reason = read_failure(name, error);
    if (flow.options_.on_error == OnError::kStop) throw data_error("{}: {}", name, reason);
    BrokenPicture broken = {.sample = source.sample(slot, row), .reason = reason};
    if (!slot.names.empty()) {
      broken.name = name;
      broken.place = slot.places[row];
    }
    slot.batch.broken.push_back(std::move(broken));
    if (keep) report.broken.push_back(slot.batch.broken.back());
  }
}

void LoaderFlow::Run::stream(int64_t first_batch, int64_t end_batch, bool keep_broken,
                             const std::function<bool(const Batch&)>& consume, EpochReport& report) const {
  Delivery delivery(flow.slots_.size());
  std::atomic<bool> stopping = false;
  std::atomic<int64_t> bytes_read = 0;
  std::exception_ptr failure, own_failure;
  // No body throws: an exception would cancel the graph, and with it whatever runs beneath a node.
  tbb::task_group_context context(tbb::task_group_context::isolated);
  tbb::flow::graph graph(context);
  using Start = std::tuple<int64_t, Slot*>;
  using Work = std::tuple<Row, Worker*>;

  tbb::flow::input_node<int64_t> numbers(graph, [&, next = first_batch](tbb::flow_control& control) mutable {
    if (next == end_batch || stopping || source.ended()) control.stop();
    return next++;
  });
  tbb::flow::buffer_node<Slot*> free_slots(graph);
  tbb::flow::join_node<Start, tbb::flow::reserving> begin_batch(graph);
  using FanOut = tbb::flow::multifunction_node<Start, std::tuple<Row>>;
  FanOut fan_out(graph, tbb::flow::serial, [&](const Start& token, FanOut::output_ports_type& ports) {
    const auto [number, slot] = token;
    start(*slot, number);  // NOLINT(clang-analyzer-core.NonNullParamChecker): a token of TBB's noexcept() alone
    const int rows = slot->begun;
    for (int row = 0; row < rows; ++row) std::get<0>(ports).try_put({slot, row});
  });
  // First in, first out: the batch that is consumed next is the one that is worked on.
  tbb::flow::queue_node<Row> queue(graph);
  tbb::flow::buffer_node<Worker*> free_workers(graph);
  tbb::flow::join_node<Work, tbb::flow::reserving> begin_row(graph);
  // Of a source alone. It lists in the order of the rows, because they come one after another and it is serial.
  tbb::flow::function_node<Work, Work> list_node(graph, tbb::flow::serial, [&](const Work& work) {
    const auto [row, worker] = work;
    const auto from = Clock::now();
    const bool there = !stopping && source.list(row, *worker);
    worker->reading += Clock::now() - from;
    return Work{Row{row.slot, there ? row.index : kNoRow}, worker};
  });
  tbb::flow::function_node<Work, ReadRow> read_node(graph, tbb::flow::unlimited, [&](const Work& work) {
    if (stopping || std::get<0>(work).index == kNoRow) return ReadRow{std::get<0>(work), std::get<1>(work), {}};
    return read(std::get<0>(work), *std::get<1>(work), bytes_read);
  });
  using Transform = tbb::flow::multifunction_node<ReadRow, std::tuple<Worker*, Slot*>>;
  Transform transform_node(graph, tbb::flow::unlimited, [&](const ReadRow& row, Transform::output_ports_type& ports) {
    if (!stopping && row.row.index != kNoRow) transform(row);
    Slot* slot = row.row.slot;
    std::get<0>(ports).try_put(row.worker);
    if (slot->pending.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      close_gaps(*slot);
      std::get<1>(ports).try_put(slot);
    }
  });

  // What follows is used by one thread at a time: the one that took a batch and is not done with it.
  size_t offered = 0;  // of the slots there are
  const auto offer_slots = [&] {
    if (offered == flow.slots_.size()) return;
    delivery.expect(flow.slots_.size());
    for (; offered < flow.slots_.size(); ++offered) free_slots.try_put(flow.slots_[offered].get());
  };
  std::deque<Slot*> consumed;  // and not free yet
  const auto give = [&](Slot& slot) {
    name_broken(slot, keep_broken, report);
    report.stopped = !consume(slot.batch);
    ++report.batches;
    report.images += slot.batch.size;
    offer_slots();
    consumed.push_back(&slot);
    for (; consumed.size() > flow.held_; consumed.pop_front()) free_slots.try_put(consumed.front());
  };
  // A source ends within a batch; those behind it are empty. It is the last one in any order: all others are full.
  int64_t next = first_batch, end = end_batch;
  Slot* last = nullptr;
  // True when it is over.
  const auto accept = [&](Slot& slot) {
    try {
      if (slot.rows == slot.begun) {
        give(slot);
        ++next;
      } else {
        end = std::min(end, slot.batch.number);
        if (slot.rows > 0) last = &slot;
      }
      if (!report.stopped && next == end && last != nullptr) give(*last);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure && !report.stopped && next < end) return false;
    stopping = true;
    return true;
  };
  tbb::flow::sequencer_node<Slot*> in_order(
      graph, [first_batch](Slot* slot) { return static_cast<size_t>(slot->batch.number - first_batch); });
  tbb::flow::function_node<Slot*> deliver(graph, tbb::flow::serial, [&](Slot* slot) {
    delivery.put(slot);
    if (!flow.options_.unordered) return;
    if (Slot* const waiting = delivery.relieve()) delivery.done(accept(*waiting));
  });

  tbb::flow::make_edge(numbers, tbb::flow::input_port<0>(begin_batch));
  tbb::flow::make_edge(free_slots, tbb::flow::input_port<1>(begin_batch));
  tbb::flow::make_edge(begin_batch, fan_out);
  tbb::flow::make_edge(tbb::flow::output_port<0>(fan_out), queue);
  tbb::flow::make_edge(queue, tbb::flow::input_port<0>(begin_row));
  tbb::flow::make_edge(free_workers, tbb::flow::input_port<1>(begin_row));
  if (source.lists()) {
    tbb::flow::make_edge(begin_row, list_node);
    tbb::flow::make_edge(list_node, read_node);
  } else {
    tbb::flow::make_edge(begin_row, read_node);
  }
  tbb::flow::make_edge(read_node, transform_node);
  tbb::flow::make_edge(tbb::flow::output_port<0>(transform_node), free_workers);
  if (flow.options_.unordered) {
    tbb::flow::make_edge(tbb::flow::output_port<1>(transform_node), deliver);
  } else {
    tbb::flow::make_edge(tbb::flow::output_port<1>(transform_node), in_order);
    tbb::flow::make_edge(in_order, deliver);
  }

  try {
    for (const auto& worker : flow.workers_) {
      worker->reading = worker->decoding = worker->transforming = {};
      free_workers.try_put(worker.get());
    }
    offer_slots();
    numbers.activate();
    while (first_batch < end_batch) {
      const auto waited_from = Clock::now();
      Slot* const slot = delivery.take();
      report.wait_seconds += seconds(Clock::now() - waited_from);
      if (slot == nullptr) break;
      delivery.done(accept(*slot));
    }
  } catch (...) {
    own_failure = std::current_exception();  // another thread may be at work on `failure`
  }
  stopping = true;
  graph.wait_for_all();
  if (!failure) failure = own_failure;
  report.bytes_read = bytes_read;
  for (const auto& worker : flow.workers_) {
    report.read_seconds += seconds(worker->reading);
    report.decode_seconds += seconds(worker->decoding);
    report.transform_seconds += seconds(worker->transforming);
  }
  if (failure) std::rethrow_exception(failure);
}

EpochReport LoaderFlow::run(RowSource& source, const Keys& keys, int64_t first_batch, int64_t end_batch,
                            bool keep_broken, const std::function<bool(const Batch&)>& consume) {
  EpochReport report;
  arena_.execute([&] { Run{*this, source, keys}.stream(first_batch, end_batch, keep_broken, consume, report); });
  return report;
}

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

  std::span<const uint8_t> read(const Row& row, Worker& worker) const override {
    return read_sample(sample_of(*row.slot, static_cast<size_t>(row.index)), worker.buffer);
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
      flow(recipe, {.batch = what.batch,
                    .threads = what.threads,
                    .slots = what.slots,
                    .on_error = what.on_error,
                    .exif = what.exif,
                    .decode = what.decode}) {
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
  return impl_->flow.run(rows, {.seed = impl_->options.seed, .epoch = epoch}, first_batch, impl_->batches(), true,
                         consume);
}

}  // namespace resflow
