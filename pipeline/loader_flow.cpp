#include "pipeline/loader_flow.h"

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>
#include <mutex>
#include <tuple>
#include <utility>

#include "io/core/broken_reason.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/files/machine_failure.h"
#include "io/images/memory_share.h"
#include "io/pictures/picture_file.h"
#include "pipeline/cancel_watch.h"
#include "pipeline/delivery.h"

namespace resflow {
namespace {

namespace flow = tbb::flow;

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
  batch.truncated = slot.truncated.load(std::memory_order_relaxed);
  batch.labels.resize(kept);
  batch.samples.resize(kept);
}

// Why a picture is broken, without its name. What the machine is at fault for becomes an Outage.
PictureFailure failure_or_outage(const std::string& name, const std::exception_ptr& error) {
  try {
    return picture_failure(error, name);
  } catch (const Error& failure) {
    if (failure.kind() == ErrorKind::kSystem) throw Outage(failure.marked());
    throw;
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

LoaderFlow::LoaderFlow(const Recipe& recipe, const StreamOptions& options, int64_t pictures)
    : options_(options), recipe_(recipe), unread_(options.reading.outage, pictures) {
  if (options.batch < 1) throw usage_error("batch size {}: wanted at least 1", options.batch);
  if (options.threads < 1) throw usage_error("{} threads: wanted at least 1", options.threads);
  if (options.slots < 1) throw usage_error("{} batch slots: wanted at least 1", options.slots);
  arena_.initialize(options.threads, 1, tbb::task_arena::priority::low);
  for (int i = 0; i < options.threads; ++i) workers_.push_back(std::make_unique<Worker>(recipe, options));
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

// One run: the graph with its nodes, and what their bodies share.
class LoaderFlow::Run {
 public:
  Run(LoaderFlow& flow, RowSource& source, const RunOptions& options, const std::function<bool(const Batch&)>& consume);

  // Streams all batches to `consume`, and throws what failed once nothing is at work any more.
  EpochReport drive();

 private:
  // What passes from node to node: a row, and the worker whose buffers go with it.
  using Work = std::tuple<Row, Worker*>;
  using Start = std::tuple<int64_t, Slot*>;
  using FanOut = flow::multifunction_node<Start, std::tuple<Row>>;
  using LastStage = flow::multifunction_node<Work, std::tuple<Worker*, Slot*>>;
  // Each message is a task, which the thread that sends it runs next. Not flow::lightweight: oneTBB runs the body of
  // such a node while it holds a lock of the node before it, so that all threads would decode one picture at a time.
  using MiddleStage = flow::function_node<Work, Work>;

  // Bodies of nodes. None throws: an exception would cancel the graph, and with it whatever runs beneath a node, and
  // nobody would tell the consumer.
  bool next_number(int64_t& number);
  void start(Slot& slot, int64_t number, FanOut::output_ports_type& ports);
  Work list(const Work& work);
  void read(const Row& row, Worker& worker);
  void decode(const Row& row, Worker& worker) const;
  void decode_with_share(const Row& row, Worker& worker) const;
  static void resize(const Row& row, Worker& worker);
  static void normalize(const Row& row, Worker& worker);
  void finish(const Work& work, LastStage::output_ports_type& ports);
  void deliver(Slot* slot);
  // Runs what is no row's own: where it throws, the run ends.
  template <class Body>
  void guarded(const Body& body) noexcept;
  // Ends the run: with a failure, or without one because it was asked to stop.
  void end(const std::exception_ptr& failure) noexcept;
  // Runs the body of a stage where there is still something to be done for the row, adds its time to the worker's, and
  // keeps what it throws as the row's error.
  template <class Body>
  Work run_stage(Stage stage, const Work& work, const Body& body) noexcept;

  void connect();

  // What follows is used by one thread at a time: the one that took a batch and is not done with it.
  bool accept(Slot& slot);  // true when the run is over
  void receive(Slot& slot);
  void give_doubtful();
  void give(Slot& slot);
  void judge(Slot& slot);
  void make_room();
  void offer_slots();

  LoaderFlow& flow_;
  RowSource& source_;
  const RunOptions options_;
  const std::function<bool(const Batch&)>& consume_;

  Delivery delivery_;
  std::atomic<bool> stopping_ = false;
  PatientFiles files_;
  int64_t begun_;  // the next batch to begin

  std::mutex end_mutex_;  // of what follows
  std::exception_ptr ended_by_;
  bool ended_ = false;

  EpochReport report_;
  std::exception_ptr failure_;
  size_t offered_ = 0;  // of the slots there are
  // Of which it is not known yet whether the files that end them are broken or an outage has begun.
  std::deque<Slot*> doubtful_;
  std::deque<Slot*> consumed_;  // and not free yet
  int64_t next_, end_;          // batches
  Slot* last_ = nullptr;        // of a source: the batch within which it ended

  tbb::task_group_context context_;
  flow::graph graph_;
  flow::input_node<int64_t> numbers_;
  flow::buffer_node<Slot*> free_slots_;
  flow::join_node<Start, flow::reserving> begin_batch_;
  FanOut fan_out_;
  flow::queue_node<Row> queue_;  // first in, first out: the batch that is consumed next is the one that is worked on
  flow::buffer_node<Worker*> free_workers_;
  flow::join_node<Work, flow::reserving> begin_row_;
  flow::function_node<Work, Work> list_;  // of a source alone
  flow::function_node<Work, Work> read_;
  MiddleStage decode_;
  MiddleStage resize_;
  LastStage normalize_;
  flow::sequencer_node<Slot*> in_order_;
  flow::function_node<Slot*> deliver_;
};

LoaderFlow::Run::Run(LoaderFlow& loader_flow, RowSource& source, const RunOptions& options,
                     const std::function<bool(const Batch&)>& consume)
    : flow_(loader_flow),
      source_(source),
      options_(options),
      consume_(consume),
      delivery_(loader_flow.slots_.size()),
      files_(*loader_flow.options_.reading.files,
             [this] { return stopping_ || (flow_.options_.reading.stop && flow_.options_.reading.stop()); }),
      begun_(options.first_batch),
      next_(options.first_batch),
      end_(options.end_batch),
      context_(tbb::task_group_context::isolated),
      graph_(context_),
      numbers_(graph_,
               [this](tbb::flow_control& control) {
                 int64_t number = 0;
                 if (!next_number(number)) control.stop();
                 return number;
               }),
      free_slots_(graph_),
      begin_batch_(graph_),
      fan_out_(graph_, flow::serial,
               [this](const Start& token, FanOut::output_ports_type& ports) {
                 const auto [number, slot] = token;
                 start(*slot, number, ports);  // NOLINT(clang-analyzer-core.NonNullParamChecker): of TBB's noexcept()
               }),
      queue_(graph_),
      free_workers_(graph_),
      begin_row_(graph_),
      // It lists in the order of the rows, because they come one after another and it is serial.
      list_(graph_, flow::serial, [this](const Work& work) { return list(work); }),
      read_(graph_, flow::unlimited,
            [this](const Work& work) {
              return run_stage(Stage::kRead, work, [this](const Row& row, Worker& worker) { read(row, worker); });
            }),
      decode_(graph_, flow::unlimited,
              [this](const Work& work) {
                return run_stage(Stage::kDecode, work, [this](const Row& row, Worker& worker) { decode(row, worker); });
              }),
      resize_(graph_, flow::unlimited,
              [this](const Work& work) { return run_stage(Stage::kResize, work, &Run::resize); }),
      normalize_(graph_, flow::unlimited,
                 [this](const Work& work, LastStage::output_ports_type& ports) {
                   finish(run_stage(Stage::kNormalize, work, &Run::normalize), ports);
                 }),
      in_order_(graph_, [this](Slot* slot) { return static_cast<size_t>(slot->batch.number - options_.first_batch); }),
      deliver_(graph_, flow::serial, [this](Slot* slot) { deliver(slot); }) {
  connect();
}

void LoaderFlow::Run::connect() {
  flow::make_edge(numbers_, flow::input_port<0>(begin_batch_));
  flow::make_edge(free_slots_, flow::input_port<1>(begin_batch_));
  flow::make_edge(begin_batch_, fan_out_);
  flow::make_edge(flow::output_port<0>(fan_out_), queue_);
  flow::make_edge(queue_, flow::input_port<0>(begin_row_));
  flow::make_edge(free_workers_, flow::input_port<1>(begin_row_));
  if (source_.lists()) {
    flow::make_edge(begin_row_, list_);
    flow::make_edge(list_, read_);
  } else {
    flow::make_edge(begin_row_, read_);
  }
  flow::make_edge(read_, decode_);
  flow::make_edge(decode_, resize_);
  flow::make_edge(resize_, normalize_);
  flow::make_edge(flow::output_port<0>(normalize_), free_workers_);
  if (flow_.options_.unordered) {
    flow::make_edge(flow::output_port<1>(normalize_), deliver_);
  } else {
    flow::make_edge(flow::output_port<1>(normalize_), in_order_);
    flow::make_edge(in_order_, deliver_);
  }
}

template <class Body>
void LoaderFlow::Run::guarded(const Body& body) noexcept {
  try {
    body();
  } catch (...) {
    end(std::current_exception());
  }
}

void LoaderFlow::Run::end(const std::exception_ptr& failure) noexcept {
  stopping_ = true;
  {
    const std::lock_guard lock(end_mutex_);
    if (!ended_by_) ended_by_ = failure;
    ended_ = true;
  }
  delivery_.end();
}

bool LoaderFlow::Run::next_number(int64_t& number) {
  bool there = false;
  guarded([&] { there = begun_ != options_.end_batch && !stopping_ && !source_.ended(); });
  number = begun_++;
  return there;
}

void LoaderFlow::Run::start(Slot& slot, int64_t number, FanOut::output_ports_type& ports) {
  guarded([&] {
    Batch& batch = slot.batch;
    batch.number = number;
    batch.size = batch.truncated = 0;
    batch.labels.clear();
    batch.samples.clear();
    batch.broken.clear();
    slot.truncated.store(0, std::memory_order_relaxed);
    source_.start(slot, number);
    const int rows = slot.begun;  // a slot whose last row has been finished may begin anew
    slot.pending.store(rows, std::memory_order_relaxed);
    std::fill_n(slot.errors.begin(), rows, nullptr);
    for (int row = 0; row < rows; ++row) std::get<0>(ports).try_put({&slot, row});
  });
}

LoaderFlow::Run::Work LoaderFlow::Run::list(const Work& work) {
  const auto [row, worker] = work;
  const Stopwatch watch;
  bool there = false;
  guarded([&, at = row, to = worker] { there = !stopping_ && source_.list(at, *to); });
  worker->seconds[Stage::kRead] += watch.seconds();
  const Work listed = {Row{row.slot, there ? row.index : kNoRow}, worker};
  // Were it to wait here until there is memory for its bytes, whoever has that memory might wait for this thread.
  if (!there || std::ssize(worker->picture.bytes) <= kLargeBytes) return listed;
  return run_stage(Stage::kRead, listed, [this](const Row& at, Worker& to) { read(at, to); });
}

template <class Body>
LoaderFlow::Run::Work LoaderFlow::Run::run_stage(Stage stage, const Work& work, const Body& body) noexcept {
  const auto& [row, worker] = work;
  if (stopping_ || row.index == kNoRow) return work;
  std::exception_ptr& error = row.slot->errors[static_cast<size_t>(row.index)];
  if (error) return work;
  try {
    // A worker's clock runs on from stage to stage: the hand-over counts as part of the stage that it leads to.
    if (stage == Stage::kRead) worker->watch.restart();
    body(row, *worker);
    worker->seconds[stage] += worker->watch.lap();
  } catch (const DecodingStopped&) {
    end(nullptr);
  } catch (...) {
    error = std::current_exception();
  }
  return work;
}

void LoaderFlow::Run::read(const Row& row, Worker& worker) {
  if (worker.resized) return;
  const StopAsked& stop = flow_.options_.reading.stop;
  MemoryShare share;  // of a large file, for all that becomes of it
  const PictureReading reading = {.max_pixels = flow_.options_.accept.max_pixels,
                                  .before_large = [&] { share.take(MemoryShare::kAll, stop); },
                                  .files = &files_};
  with_memory(
      stop, [&] { worker.give_back_pixels(); }, [&] { worker.bytes = source_.read(row, worker, reading); });
  worker.bytes_read += static_cast<int64_t>(worker.bytes.size());
  if (MemoryShare::held()) decode(row, worker);
}

void LoaderFlow::Run::decode(const Row& row, Worker& worker) const {
  if (worker.resized) return;
  with_memory(
      flow_.options_.reading.stop, [&] { worker.give_back_pixels(); }, [&] { decode_with_share(row, worker); });
}

void LoaderFlow::Run::decode_with_share(const Row& row, Worker& worker) const {
  const auto index = static_cast<size_t>(row.index);
  worker.decoder.open(worker.bytes, source_.name(*row.slot, index));
  // A huge picture is made small before the next one has its share of memory.
  const MemoryShare share(worker.decoder.decoding_bytes(), flow_.options_.reading.stop);
  worker.recipe_worker.plan(worker.decoder, options_.keys.seed, options_.keys.epoch,
                            static_cast<uint64_t>(row.slot->batch.samples[index]));
  worker.recipe_worker.decode(worker.decoder);
  if (worker.decoder.was_truncated()) row.slot->truncated.fetch_add(1, std::memory_order_relaxed);
  if (!MemoryShare::held()) return;
  resize(row, worker);
  worker.resized = true;
  worker.give_back_pixels();
  worker.give_back_file();
}

void LoaderFlow::Run::resize(const Row& /*row*/, Worker& worker) {
  if (worker.resized) return;
  worker.recipe_worker.resize();
  worker.recipe_worker.augment();
}

void LoaderFlow::Run::normalize(const Row& row, Worker& worker) {
  Slot& slot = *row.slot;
  worker.recipe_worker.normalize(slot.batch.pixels + static_cast<size_t>(row.index) * slot.row_floats());
}

void LoaderFlow::Run::finish(const Work& work, LastStage::output_ports_type& ports) {
  guarded([&] {
    const auto [row, worker] = work;
    Slot* const slot = row.slot;
    worker->resized = false;
    worker->give_back_pixels();  // of a picture that is broken, too
    worker->give_back_file();
    std::get<0>(ports).try_put(worker);
    if (slot->pending.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    close_gaps(*slot);
    std::get<1>(ports).try_put(slot);
  });
}

void LoaderFlow::Run::deliver(Slot* slot) {
  guarded([&] {
    delivery_.put(slot);
    if (!flow_.options_.unordered) return;
    if (Slot* const waiting = delivery_.relieve()) delivery_.done(accept(*waiting));
  });
}

bool LoaderFlow::Run::accept(Slot& slot) {
  try {
    if (slot.rows == slot.begun) {
      receive(slot);
      ++next_;
    } else {
      // A source ends within a batch; those behind it are empty. It is the last one in any order: all others are full.
      end_ = std::min(end_, slot.batch.number);
      if (slot.rows > 0) last_ = &slot;
    }
    if (!report_.stopped && next_ == end_ && last_ != nullptr) receive(*last_);
    // At the end there is nothing more to be known.
    if (next_ == end_ && !source_.broke_off()) give_doubtful();
    make_room();
  } catch (const Outage&) {
    const std::function<bool()>& stop = flow_.options_.reading.stop;
    report_.stopped = stop && stop();  // whoever wants to end does not wait for the machine
    if (!report_.stopped) failure_ = std::current_exception();
  } catch (...) {
    failure_ = std::current_exception();
  }
  if (!failure_ && !report_.stopped && next_ < end_) return false;
  stopping_ = true;
  return true;
}

void LoaderFlow::Run::receive(Slot& slot) {
  judge(slot);
  doubtful_.push_back(&slot);
  if (!flow_.unread_.in_doubt()) give_doubtful();
}

void LoaderFlow::Run::give_doubtful() {
  for (; !doubtful_.empty() && !report_.stopped; doubtful_.pop_front()) give(*doubtful_.front());
}

// Where all slots hold batches that wait for what comes behind them, there has to be a slot for that.
void LoaderFlow::Run::make_room() {
  if (report_.stopped || next_ == end_ || doubtful_.size() + consumed_.size() < flow_.slots_.size()) return;
  flow_.slots_.push_back(std::make_unique<Slot>(flow_.options_.batch, flow_.recipe_.size));
  offer_slots();
}

void LoaderFlow::Run::give(Slot& slot) {
  report_.stopped = !consume_(slot.batch);
  if (options_.keep_broken)
    report_.broken.insert(report_.broken.end(), slot.batch.broken.begin(), slot.batch.broken.end());
  ++report_.batches;
  report_.images += slot.batch.size;
  report_.truncated += slot.batch.truncated;
  offer_slots();
  consumed_.push_back(&slot);
  for (; consumed_.size() > flow_.held_; consumed_.pop_front()) free_slots_.try_put(consumed_.front());
}

// Says of a finished batch which rows are broken. Throws where that is to stop the run.
void LoaderFlow::Run::judge(Slot& slot) {
  for (size_t row = 0; row < static_cast<size_t>(slot.rows); ++row) {
    const std::exception_ptr error = std::exchange(slot.errors[row], nullptr);
    if (!error) {
      flow_.unread_.read();
      continue;
    }
    const std::string& name = source_.name(slot, row);
    const auto [reason, unread] = failure_or_outage(name, error);
    if (!unread) flow_.unread_.read();
    if (flow_.options_.on_error == OnError::kStop) throw data_error("{}: {}", name, reason);
    if (unread) flow_.unread_.unread(name, reason);
    BrokenPicture broken = {.sample = source_.sample(slot, row), .reason = reason, .unread = unread};
    if (!slot.names.empty()) {
      broken.name = name;
      broken.place = slot.places[row];
    }
    slot.batch.broken.push_back(std::move(broken));
  }
}

// Those that hold() has added since, too.
void LoaderFlow::Run::offer_slots() {
  if (offered_ == flow_.slots_.size()) return;
  delivery_.expect(flow_.slots_.size());
  for (; offered_ < flow_.slots_.size(); ++offered_) free_slots_.try_put(flow_.slots_[offered_].get());
}

EpochReport LoaderFlow::Run::drive() {
  std::exception_ptr own_failure;  // another thread may be at work on `failure_`
  try {
    for (const auto& worker : flow_.workers_) {
      worker->seconds = {};
      worker->bytes_read = 0;
      free_workers_.try_put(worker.get());
    }
    offer_slots();
    numbers_.activate();
    const CancelWatch watch(context_, [this] { delivery_.end(); });
    while (options_.first_batch < options_.end_batch) {
      const Stopwatch waiting;
      Slot* const slot = delivery_.take();
      report_.wait_seconds += waiting.seconds();
      if (slot == nullptr) break;
      delivery_.done(accept(*slot));
    }
  } catch (...) {
    own_failure = std::current_exception();
  }
  stopping_ = true;
  try {
    graph_.wait_for_all();
  } catch (...) {  // of oneTBB's own
    if (!own_failure) own_failure = std::current_exception();
  }
  if (!doubtful_.empty()) flow_.unread_.forget();  // they will be read again, if at all
  if (!failure_) failure_ = own_failure;
  if (!failure_) failure_ = ended_by_;
  if (ended_) report_.stopped = true;
  if (failure_) std::rethrow_exception(failure_);
  for (const auto& worker : flow_.workers_) {
    report_.seconds += worker->seconds;
    report_.bytes_read += worker->bytes_read;
  }
  return std::move(report_);
}

EpochReport LoaderFlow::run(RowSource& source, const RunOptions& options,
                            const std::function<bool(const Batch&)>& consume) {
  return arena_.execute([&] { return Run(*this, source, options, consume).drive(); });
}

}  // namespace resflow
