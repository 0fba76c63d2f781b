#include "apps/host/terminal_listener.h"

#include <unistd.h>

#include <algorithm>

#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "io/core/setting.h"

namespace resflow {

TerminalListener::~TerminalListener() = default;

void TerminalListener::say(const std::string& line) {
  const std::string text = with_option_names(line);
  if (line_) line_->hide();
  if (lines_ == Lines::kError)
    print_error_line(text);
  else
    print_line(text);
}

void TerminalListener::note(const std::string& sentence) {
  if (line_) line_->hide();
  resflow::note(with_option_names(sentence));
}

void TerminalListener::warn(const std::string& sentence) {
  if (line_) line_->hide();
  resflow::warn(with_option_names(sentence));
}

void TerminalListener::progress(const ProgressState& state) {
  if (!line_)
    line_ = std::make_unique<ProgressLine>(ProgressLineOptions{.label = state.label,
                                                               .unit = state.unit,
                                                               .total = state.total,
                                                               .first = state.first,
                                                               .seconds_after = state.seconds_after,
                                                               .terminal = is_terminal(STDERR_FILENO)});
  if (state.done != state.first || !state.details.empty()) line_->update(state.done, state.details);
}

void TerminalListener::progress_ended() { line_.reset(); }

bool TerminalListener::stop() { return stop_requested(); }

std::string option_name(std::string_view setting) {
  std::string name = "--" + std::string(setting);
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string with_option_names(std::string_view sentence) { return with_names(sentence, option_name); }

}  // namespace resflow
