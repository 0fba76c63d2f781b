// How long something takes.
//
//   const Stopwatch watch;
//   work();
//   fmt::print("{:.1f} s\n", watch.seconds());
#pragma once

#include <chrono>
#include <utility>

namespace resflow {

class Stopwatch {
 public:
  // Since it was made, or last restarted.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double milliseconds() const { return seconds() * 1e3; }

  // The seconds until now, from where it counts on: for things that follow one another.
  double lap() {
    const Clock::time_point now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }
  void restart() { start_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace resflow
