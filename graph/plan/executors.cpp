#include "graph/plan/executors.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "io/core/error.h"
#include "io/core/stopwatch.h"

namespace resflow {
namespace {

struct Job {
  Executors::Work work;
  std::exception_ptr failure = nullptr;
  bool done = false;
};

}  // namespace

struct Executors::Impl {
  Impl(Model& the_model, const PlanOptions& the_options, int count, int threads_each, const Plan* plan_beside)
      : model(the_model), options(the_options), threads(threads_each), beside(plan_beside) {
    if (count < 1) throw usage_error("{} executors: wanted at least 1", count);
    plans.resize(static_cast<size_t>(count));
    // One that has the model's threads computes where the model does: plans beside it may outlive it.
    if (count > 1 || threads != model.compute().threads())
      for (int i = 0; i < count; ++i) computes.push_back(std::make_unique<Compute>(threads));
    if (count == 1) {
      plans[0] = make_plan(0);
      return;
    }
    try {
      // The first one folds and transforms, the others share that.
      start(0);
      wait_for_plans(1);
      for (size_t i = 1; i < plans.size(); ++i) start(i);
      wait_for_plans(plans.size());
    } catch (...) {
      stop();
      throw;
    }
  }

  ~Impl() { stop(); }

  bool has_threads() const { return plans.size() > 1; }

  void start(size_t i) {
    workers.emplace_back([this, i] { work(i); });
  }

  void wait_for_plans(size_t wanted) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return made == wanted; });
    if (failure) std::rethrow_exception(failure);
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  // A thread's life. It makes its plan itself, so that the arena lies near it.
  void work(size_t i) {
    std::exception_ptr failed;
    try {
      plans[i] = make_plan(i);
    } catch (...) {
      failed = std::current_exception();
    }
    std::unique_lock lock(mutex);
    ++made;
    if (failed) failure = failed;
    changed.notify_all();
    while (true) {
      changed.wait(lock, [&] { return stopping || !waiting.empty(); });
      if (stopping) return;
      const std::shared_ptr<Job> job = waiting.front();
      waiting.pop_front();
      lock.unlock();
      run(*job, *plans[i]);
      lock.lock();
      job->done = true;
      changed.notify_all();
    }
  }

  std::unique_ptr<Plan> make_plan(size_t i) const {
    const Plan* other = i == 0 ? beside : plans[0].get();
    const Compute& compute = computes.empty() ? model.compute() : *computes[i];
    return other == nullptr ? std::make_unique<Plan>(model, options, compute) : Plan::beside(*other, compute);
  }

  static void run(Job& job, Plan& plan) {
    try {
      job.work(plan);
    } catch (...) {
      job.failure = std::current_exception();
    }
  }

  Model& model;
  const PlanOptions options;
  int threads;
  const Plan* beside;                              // while plans are made
  std::vector<std::unique_ptr<Compute>> computes;  // where the model's will not do
  std::vector<std::unique_ptr<Plan>> plans;
  std::deque<std::shared_ptr<Job>> under_way;  // in the order of give()

  std::mutex mutex;  // of what follows, and of jobs
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> waiting;
  size_t made = 0;  // plans that were made, or could not be
  std::exception_ptr failure;
  bool stopping = false;
  std::vector<std::thread> workers;
};

Executors::Executors(Model& model, const PlanOptions& options, int count, int threads, const Plan* beside)
    : impl_(std::make_unique<Impl>(model, options, count, threads, beside)) {}
Executors::~Executors() = default;

int Executors::count() const { return static_cast<int>(impl_->plans.size()); }
int Executors::threads() const { return impl_->threads; }
int Executors::under_way() const { return static_cast<int>(impl_->under_way.size()); }
const Plan& Executors::first() const { return *impl_->plans.front(); }

void Executors::give(Work work) {
  Impl& executors = *impl_;
  const auto job = std::make_shared<Job>(Job{std::move(work)});
  executors.under_way.push_back(job);
  if (!executors.has_threads()) {
    Impl::run(*job, *executors.plans[0]);
    job->done = true;
    return;
  }
  {
    const std::lock_guard lock(executors.mutex);
    executors.waiting.push_back(job);
  }
  executors.changed.notify_all();
}

void Executors::take() {
  Impl& executors = *impl_;
  if (executors.under_way.empty()) throw internal_error("work is to be taken where none was given");
  const std::shared_ptr<Job> job = std::move(executors.under_way.front());
  executors.under_way.pop_front();
  {
    std::unique_lock lock(executors.mutex);
    executors.changed.wait(lock, [&] { return job->done; });
  }
  if (job->failure) std::rethrow_exception(job->failure);
}

bool Executors::oldest_is_done() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->under_way.front()->done;
}

double Executors::round_seconds(const Work& work) {
  const Stopwatch watch;
  for (int i = 0; i < count(); ++i) give(work);
  for (int i = 0; i < count(); ++i) take();
  return watch.seconds() / count();
}

PlanMemory Executors::memory() const {
  PlanMemory sum;
  for (const auto& plan : impl_->plans) {
    const PlanMemory memory = plan->memory();
    sum.activations += memory.activations;
    sum.copies += memory.copies;
    sum.parameters = memory.parameters;
  }
  return sum;
}

}  // namespace resflow
