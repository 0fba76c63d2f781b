#include "apps/host/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "apps/host/stream.h"
#include "io/core/text.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr double kQuietSeconds = 2;      // shorter jobs show nothing
constexpr double kRewriteSeconds = 0.2;  // a terminal's line
constexpr double kLineSeconds = 15;      // a log's line
constexpr double kWindowSeconds = 10;    // of the rate

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

size_t terminal_columns(int out) {
  winsize size{};
  if (ioctl(out, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

bool is_terminal(int out) {
  const char* kind = std::getenv("TERM");
  return isatty(out) == 1 && kind != nullptr && std::string(kind) != "dumb";
}

ProgressLine::ProgressLine(ProgressLineOptions options) : options_(std::move(options)), done_(options_.first) {
  if (!options_.clock) options_.clock = steady_seconds;
  start_ = options_.clock();
  recent_.emplace_back(start_, done_);
}

ProgressLine::~ProgressLine() { hide(); }

void ProgressLine::hide() {
  if (!on_screen_) return;
  write_stream(options_.out, "\r\x1b[K");
  on_screen_ = false;
  shown_ = -1;
}

double ProgressLine::rate() const {
  const double seconds = recent_.back().first - recent_.front().first;
  return seconds > 0 ? static_cast<double>(recent_.back().second - recent_.front().second) / seconds : 0;
}

void ProgressLine::update(int64_t done, const std::string& details) {
  const double now = options_.clock();
  done_ = done;
  recent_.emplace_back(now, done);
  while (recent_.size() > 2 && now - recent_[1].first >= kWindowSeconds) recent_.pop_front();

  if (now - start_ < kQuietSeconds) return;
  const double pause = options_.terminal ? kRewriteSeconds : kLineSeconds;
  if (shown_ >= 0 && now - shown_ < pause) return;
  shown_ = now;
  std::string text = printable(line(details), std::string_view::npos);
  if (options_.terminal) {
    // A wrapped line cannot be rewritten.
    text.resize(std::min(text.size(), terminal_columns(options_.out) - 1));
    write_stream(options_.out, "\r" + text + "\x1b[K");
    on_screen_ = true;
  } else {
    write_stream(options_.out, text + "\n");
  }
}

std::string ProgressLine::line(const std::string& details) const {
  std::string text = options_.label.empty() ? "" : options_.label + "  ";
  text += options_.total > 0 ? fmt::format("{}/{} {}", done_, options_.total, options_.unit)
                             : fmt::format("{} {}", done_, options_.unit);
  const double per_second = rate();
  if (per_second > 0) text += fmt::format("  {:.1f}/s", per_second);
  if (!details.empty()) text += "  " + details;
  if (per_second > 0 && options_.total > 0) {
    const double left = static_cast<double>(options_.total - done_) / per_second;
    text += "  left " + format_duration(left);
    if (options_.seconds_after > 0) text += fmt::format(" (all {})", format_duration(left + options_.seconds_after));
  }
  return text;
}

}  // namespace resflow
