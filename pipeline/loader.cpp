#include "pipeline/loader.h"

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "io/array.h"
#include "io/error.h"
#include "io/file.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// A batch under way. A row is written by one task; whoever finishes the last row moves the slot on.
struct Slot {
  Slot(int capacity, int image_size)
      : pixels(DType::kF32, {capacity, 3, image_size, image_size}), errors(static_cast<size_t>(capacity)) {
    batch.capacity = capacity;
    batch.image_size = image_size;
    batch.pixels = pixels.values<float>().data();
    batch.labels.reserve(static_cast<size_t>(capacity));
    batch.samples.reserve(static_cast<size_t>(capacity));
  }
  size_t row_floats() const {
    return 3 * static_cast<size_t>(batch.image_size) * static_cast<size_t>(batch.image_size);
  }

  Array pixels;
  Batch batch;
  std::vector<std::exception_ptr> errors;  // [rows]: what became of each; null where it is whole
  int rows = 0;
  std::atomic<int> pending = 0;  // rows not yet finished
};

// What one picture at a time needs. As many as threads: the tokens of reading and transforming.
struct Worker {
  Worker(const Recipe& recipe, bool exif) : recipe_worker(recipe) { decoder.set_exif(exif); }
  Decoder decoder;
  RecipeWorker recipe_worker;
  std::vector<uint8_t> buffer;
  Clock::duration reading{}, decoding{}, transforming{};  // of one run; whoever holds the worker adds to them
};

struct Row {
  Slot* slot = nullptr;
  int index = 0;
};

struct ReadRow {
  Row row;
  Worker* worker = nullptr;
  std::span<const uint8_t> bytes;
};

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
    ++kept;
  }
  batch.size = static_cast<int>(kept);
  batch.labels.resize(kept);
  batch.samples.resize(kept);
}

// Finished batches on their way from the graph to the thread that consumes them.
class Delivery {
 public:
  explicit Delivery(size_t slots) : context_(tbb::task_group_context::isolated), waiting_(context_) {
    ready_.reserve(slots);
  }

  // From a node's body: allocates nothing, throws nothing.
  void put(Slot* slot) {
    tbb::task_handle wake;
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(slot);
      wake = std::move(wake_);
    }
    if (wake) waiting_.run(std::move(wake));
  }

  // The next batch; until there is one this thread works on whatever its arena has to do.
  Slot* take() {
    {
      const std::lock_guard lock(mutex_);
      if (!ready_.empty()) return pop();
      wake_ = waiting_.defer([] {});
    }
    waiting_.wait();
    const std::lock_guard lock(mutex_);
    return pop();
  }

 private:
  Slot* pop() {
    Slot* slot = ready_.front();
    ready_.erase(ready_.begin());
    return slot;
  }

  // Isolated: nobody else's cancellation may end a wait before its time.
  tbb::task_group_context context_;
  tbb::task_group waiting_;
  std::mutex mutex_;
  std::vector<Slot*> ready_;  // in order
  tbb::task_handle wake_;     // while it exists, waiting_.wait() does not return
};

}  // namespace

struct Loader::Impl {
  Impl(const Dataset& set, const Recipe& how, const LoaderOptions& what);
  int64_t batches() const;
  std::string read_failure(int64_t sample, const std::exception_ptr& error) const;
  void run(uint64_t epoch, int64_t first_batch, const std::function<bool(const Batch&)>& consume, EpochReport& report);

  const std::string& path_of(Row row) const {
    return dataset.samples[static_cast<size_t>(row.slot->batch.samples[static_cast<size_t>(row.index)])].path;
  }

  // Node bodies.
  void start(Slot& slot, int64_t number, const std::vector<int64_t>& order) const;
  ReadRow read(Row row, Worker& worker, std::atomic<int64_t>& bytes_read) const;
  void transform(const ReadRow& read, uint64_t epoch) const;

  const Dataset& dataset;
  Recipe recipe;
  LoaderOptions options;
  tbb::task_arena arena;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<std::unique_ptr<Worker>> workers;
};

Loader::Impl::Impl(const Dataset& set, const Recipe& how, const LoaderOptions& what)
    : dataset(set), recipe(how), options(what) {
  if (options.batch < 1) throw usage_error("batch size {}: wanted at least 1", options.batch);
  if (options.threads < 1) throw usage_error("{} threads: wanted at least 1", options.threads);
  if (options.slots < 1) throw usage_error("{} batch slots: wanted at least 1", options.slots);
  if (options.sampler == Sampler::kWeighted)
    check_weights(options.weights, static_cast<int64_t>(dataset.samples.size()));
  else if (!options.weights.empty())
    throw usage_error("weights of samples go with the weighted sampler");
  arena.initialize(options.threads, 1, tbb::task_arena::priority::low);
  for (int i = 0; i < options.threads; ++i) workers.push_back(std::make_unique<Worker>(recipe, options.exif));
  for (int64_t i = 0; i < std::min<int64_t>(options.slots, batches()); ++i)
    slots.push_back(std::make_unique<Slot>(options.batch, recipe.size));
}

int64_t Loader::Impl::batches() const {
  const auto samples = static_cast<int64_t>(dataset.samples.size());
  return options.drop_last ? samples / options.batch : (samples + options.batch - 1) / options.batch;
}

void Loader::Impl::start(Slot& slot, int64_t number, const std::vector<int64_t>& order) const {
  Batch& batch = slot.batch;
  const int64_t begin = number * options.batch;
  slot.rows = static_cast<int>(std::min<int64_t>(options.batch, static_cast<int64_t>(order.size()) - begin));
  slot.pending.store(slot.rows, std::memory_order_relaxed);
  batch.number = number;
  batch.size = 0;
  batch.labels.clear();
  batch.samples.clear();
  batch.broken.clear();
  for (int row = 0; row < slot.rows; ++row) {
    const int64_t sample = order[static_cast<size_t>(begin + row)];
    batch.samples.push_back(sample);
    batch.labels.push_back(dataset.samples[static_cast<size_t>(sample)].label);
    slot.errors[static_cast<size_t>(row)] = nullptr;
  }
}

ReadRow Loader::Impl::read(Row row, Worker& worker, std::atomic<int64_t>& bytes_read) const {
  ReadRow result{row, &worker, {}};
  const auto index = static_cast<size_t>(row.index);
  try {
    const auto from = Clock::now();
    result.bytes = read_file(path_of(row), worker.buffer);
    worker.reading += Clock::now() - from;
    bytes_read.fetch_add(static_cast<int64_t>(result.bytes.size()), std::memory_order_relaxed);
  } catch (...) {
    row.slot->errors[index] = std::current_exception();
  }
  return result;
}

void Loader::Impl::transform(const ReadRow& read, uint64_t epoch) const {
  Slot& slot = *read.row.slot;
  const auto index = static_cast<size_t>(read.row.index);
  if (slot.errors[index]) return;
  try {
    Worker& worker = *read.worker;
    RecipeWorker& recipe_worker = worker.recipe_worker;
    const auto from = Clock::now();
    worker.decoder.open(read.bytes, path_of(read.row));
    recipe_worker.plan(worker.decoder.width(), worker.decoder.height(), options.seed, epoch,
                       static_cast<uint64_t>(slot.batch.samples[index]));
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

// Why a file is broken, without its path. What is not the file's fault is thrown on.
std::string Loader::Impl::read_failure(int64_t sample, const std::exception_ptr& error) const {
  const std::string& path = dataset.samples[static_cast<size_t>(sample)].path;
  try {
    std::rethrow_exception(error);
  } catch (const Error& failure) {
    if (failure.kind() != ErrorKind::kData) throw;
    const std::string reason = failure.what();
    return reason.starts_with(path + ": ") ? reason.substr(path.size() + 2) : reason;
  } catch (const std::bad_alloc&) {
    throw system_error("{}: not enough memory to decode it", path);
  }
}

void Loader::Impl::run(uint64_t epoch, int64_t first_batch, const std::function<bool(const Batch&)>& consume,
                       EpochReport& report) {
  const int64_t end_batch = batches();
  if (first_batch >= end_batch) return;
  std::vector<int64_t> order;
  if (options.sampler == Sampler::kWeighted) {
    order = weighted_order(options.weights, options.seed, epoch);
  } else if (options.shuffle) {
    order = epoch_order(static_cast<int64_t>(dataset.samples.size()), options.seed, epoch);
  } else {
    order.resize(dataset.samples.size());
    std::iota(order.begin(), order.end(), 0);
  }

  Delivery delivery(slots.size());
  std::atomic<bool> stopping = false;
  std::atomic<int64_t> bytes_read = 0;
  // No body throws: an exception would cancel the graph, and with it whatever runs beneath a node.
  tbb::task_group_context context(tbb::task_group_context::isolated);
  tbb::flow::graph graph(context);
  using Start = std::tuple<int64_t, Slot*>;
  using Work = std::tuple<Row, Worker*>;

  tbb::flow::input_node<int64_t> numbers(graph, [&, next = first_batch](tbb::flow_control& control) mutable {
    if (next == end_batch || stopping) control.stop();
    return next++;
  });
  tbb::flow::buffer_node<Slot*> free_slots(graph);
  tbb::flow::join_node<Start, tbb::flow::reserving> begin_batch(graph);
  using FanOut = tbb::flow::multifunction_node<Start, std::tuple<Row>>;
  FanOut fan_out(graph, tbb::flow::serial, [&](const Start& token, FanOut::output_ports_type& ports) {
    const auto [number, slot] = token;
    start(*slot, number, order);
    const int rows = slot->rows;
    for (int row = 0; row < rows; ++row) std::get<0>(ports).try_put({slot, row});
  });
  // First in, first out: the batch that is consumed next is the one that is worked on.
  tbb::flow::queue_node<Row> queue(graph);
  tbb::flow::buffer_node<Worker*> free_workers(graph);
  tbb::flow::join_node<Work, tbb::flow::reserving> begin_row(graph);
  tbb::flow::function_node<Work, ReadRow> read_node(graph, tbb::flow::unlimited, [&](const Work& work) {
    if (stopping) return ReadRow{std::get<0>(work), std::get<1>(work), {}};
    return read(std::get<0>(work), *std::get<1>(work), bytes_read);
  });
  using Transform = tbb::flow::multifunction_node<ReadRow, std::tuple<Worker*, Slot*>>;
  Transform transform_node(graph, tbb::flow::unlimited, [&](const ReadRow& row, Transform::output_ports_type& ports) {
    if (!stopping) transform(row, epoch);
    Slot* slot = row.row.slot;
    std::get<0>(ports).try_put(row.worker);
    if (slot->pending.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      close_gaps(*slot);
      std::get<1>(ports).try_put(slot);
    }
  });
  tbb::flow::sequencer_node<Slot*> in_order(
      graph, [first_batch](Slot* slot) { return static_cast<size_t>(slot->batch.number - first_batch); });
  tbb::flow::function_node<Slot*> deliver(graph, tbb::flow::serial, [&](Slot* slot) { delivery.put(slot); });

  tbb::flow::make_edge(numbers, tbb::flow::input_port<0>(begin_batch));
  tbb::flow::make_edge(free_slots, tbb::flow::input_port<1>(begin_batch));
  tbb::flow::make_edge(begin_batch, fan_out);
  tbb::flow::make_edge(tbb::flow::output_port<0>(fan_out), queue);
  tbb::flow::make_edge(queue, tbb::flow::input_port<0>(begin_row));
  tbb::flow::make_edge(free_workers, tbb::flow::input_port<1>(begin_row));
  tbb::flow::make_edge(begin_row, read_node);
  tbb::flow::make_edge(read_node, transform_node);
  tbb::flow::make_edge(tbb::flow::output_port<0>(transform_node), free_workers);
  tbb::flow::make_edge(tbb::flow::output_port<1>(transform_node), in_order);
  tbb::flow::make_edge(in_order, deliver);

  std::exception_ptr failure;
  try {
    for (const auto& worker : workers) {
      worker->reading = worker->decoding = worker->transforming = {};
      free_workers.try_put(worker.get());
    }
    for (const auto& slot : slots) free_slots.try_put(slot.get());
    numbers.activate();
    for (int64_t number = first_batch; number < end_batch && !report.stopped; ++number) {
      const auto waited_from = Clock::now();
      Slot* slot = delivery.take();
      report.wait_seconds += seconds(Clock::now() - waited_from);
      Batch& batch = slot->batch;
      for (int row = 0; row < slot->rows; ++row) {
        const std::exception_ptr error = std::exchange(slot->errors[static_cast<size_t>(row)], nullptr);
        if (!error) continue;
        const int64_t sample = order[static_cast<size_t>(number * options.batch + row)];
        const std::string reason = read_failure(sample, error);
        if (options.on_error == OnError::kStop)
          throw data_error("{}: {}", dataset.samples[static_cast<size_t>(sample)].path, reason);
        batch.broken.push_back({sample, reason});
        report.broken.push_back(batch.broken.back());
      }
      report.stopped = !consume(batch);
      ++report.batches;
      report.images += batch.size;
      free_slots.try_put(slot);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  stopping = true;
  graph.wait_for_all();
  report.bytes_read = bytes_read;
  for (const auto& worker : workers) {
    report.read_seconds += seconds(worker->reading);
    report.decode_seconds += seconds(worker->decoding);
    report.transform_seconds += seconds(worker->transforming);
  }
  if (failure) std::rethrow_exception(failure);
}

Loader::Loader(const Dataset& dataset, const Recipe& recipe, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(dataset, recipe, options)) {}
Loader::~Loader() = default;

int64_t Loader::batches_per_epoch() const { return impl_->batches(); }

EpochReport Loader::run(uint64_t epoch, int64_t first_batch, const std::function<bool(const Batch&)>& consume) {
  if (first_batch < 0) throw usage_error("first batch {}: wanted at least 0", first_batch);
  EpochReport report;
  impl_->arena.execute([&] { impl_->run(epoch, first_batch, consume, report); });
  return report;
}

}  // namespace resflow
