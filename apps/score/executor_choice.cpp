#include "apps/score/executor_choice.h"

#include <algorithm>
#include <charconv>
#include <dnnl.hpp>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr double kTrialSeconds = 1;
constexpr size_t kMostBytes = size_t{2} << 30U;  // an executor more than asked for may take so much memory
constexpr int kFewThreads = 4;                   // so many threads has an executor where there are many threads
constexpr double kWorthIt = 1.02;

std::string threads_text(const ExecutorSpeed& speed) {
  return fmt::format("{} of {}", speed.executors, plural(speed.threads, "thread", "threads"));
}

}  // namespace

int parse_executors(const std::string& text, int threads) {
  if (text == "auto") return kChooseExecutors;
  if (text == "latency") return 1;
  if (text == "throughput") return threads;
  int executors = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), executors);
  if (error != std::errc() || end != text.data() + text.size() || executors < 1)
    throw usage_error("{} {}: wanted auto, throughput, latency or a number from 1", setting("executors"), text);
  if (executors > threads)
    throw usage_error("{} {}: wanted at most one a thread, of which there are {} ({})", setting("executors"), executors,
                      threads, setting("threads"));
  return executors;
}

void check_resumed_executors(int wanted, int begun, const std::string& out) {
  if (wanted == kChooseExecutors || wanted == begun) return;
  throw usage_error("{}: {} was begun with {} {}, now it is {} {}: give the same, or start anew with {}",
                    setting("resume"), out, setting("executors"),
                    begun == kChooseExecutors ? "auto" : std::to_string(begun), setting("executors"), wanted,
                    setting("overwrite"));
}

std::vector<int> executor_candidates(int threads, size_t bytes) {
  const int room = static_cast<int>(std::min<size_t>(kMostBytes / std::max<size_t>(bytes, 1), 65536));
  std::vector<int> candidates;
  for (const int count : {threads / kFewThreads, threads})
    if (const int fits = std::min(count, room); fits > 1 && (candidates.empty() || fits > candidates.back()))
      candidates.push_back(fits);
  return candidates;
}

size_t fastest_of(const std::vector<ExecutorSpeed>& speeds) {
  size_t best = 0;
  for (size_t i = 1; i < speeds.size(); ++i)
    if (speeds[i].images_per_second >= kWorthIt * speeds[best].images_per_second) best = i;
  return best;
}

bool machine_allows(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kSystem) throw;
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_out_of_memory) throw;
  } catch (const std::bad_alloc&) {  // as the others: the caller has another way
    return false;
  } catch (const std::system_error&) {  // no more threads
    return false;
  }
  return false;
}

std::string executors_sentence(const std::vector<ExecutorSpeed>& speeds, size_t chosen) {
  const ExecutorSpeed& best = speeds[chosen];
  std::string text = fmt::format("{}: {:.1f} img/s by the network alone", threads_text(best), best.images_per_second);
  std::string before = ", against ";
  for (size_t i = 0; i < speeds.size(); ++i) {
    if (i == chosen) continue;
    text += fmt::format("{}{:.1f} by {}", std::exchange(before, ", "), speeds[i].images_per_second,
                        threads_text(speeds[i]));
  }
  return text;
}

ExecutorChoice choose_executors(std::unique_ptr<Executors> one, Model& model, const std::vector<int>& candidates,
                                int threads, const Executors::Work& work, int pictures) {
  std::vector<std::unique_ptr<Executors>> all;
  all.push_back(std::move(one));
  for (const int count : candidates) {
    if (!machine_allows([&] {
          all.push_back(std::make_unique<Executors>(model, all[0]->first().options(), count,
                                                    threads_of_each(threads, count), &all[0]->first()));
        }))
      break;
  }
  std::vector<double> seconds(all.size(), std::numeric_limits<double>::infinity());
  const auto measure = [&](size_t i) { seconds[i] = std::min(seconds[i], all[i]->round_seconds(work)); };
  const Stopwatch watch;
  do {
    measure(0);
    for (size_t i = 1; i < all.size(); ++i)
      if (!machine_allows([&] { measure(i); })) all.resize(i);
  } while (watch.seconds() < kTrialSeconds);

  ExecutorChoice choice;
  for (size_t i = 0; i < all.size(); ++i)
    choice.speeds.push_back({all[i]->count(), all[i]->threads(), pictures / seconds[i]});
  choice.chosen = fastest_of(choice.speeds);
  choice.executors = std::move(all[choice.chosen]);
  return choice;
}

}  // namespace resflow
