// The program's own Listener: sentences on standard error, lines where they belong, progress, and the signals that ask
// to stop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "apps/host/progress.h"
#include "io/core/listener.h"

namespace resflow {

class TerminalListener : public Listener {
 public:
  // Where say() writes: kError for a command whose rows go to standard output.
  enum class Lines { kOutput, kError };
  explicit TerminalListener(Lines lines = Lines::kOutput) : lines_(lines) {}
  ~TerminalListener() override;

  void say(const std::string& line) override;
  void note(const std::string& sentence) override;  // "resflow: note: SENTENCE"
  void warn(const std::string& sentence) override;  // "resflow: warning: SENTENCE"
  void progress(const ProgressState& state) override;
  void progress_ended() override;
  bool stop() override;  // apps/host/signals.h

 private:
  Lines lines_;
  std::unique_ptr<ProgressLine> line_;
};

// The command line's name of a setting: "image_size" is --image-size.
std::string option_name(std::string_view setting);

// `sentence` as the program says it: settings have their options' names.
std::string with_option_names(std::string_view sentence);

}  // namespace resflow
