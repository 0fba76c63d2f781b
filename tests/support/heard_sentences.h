// A Listener that keeps what it hears, for tests that ask what a job says.
#pragma once

#include <string>

#include "io/core/listener.h"
#include "io/core/setting.h"

namespace resflow::testing {

// Sentences stand one a line, with the library's own names of settings.
class HeardSentences : public Listener {
 public:
  void say(const std::string& line) override { add(line, lines_); }
  void note(const std::string& sentence) override { add(sentence, notes_); }
  void warn(const std::string& sentence) override { add(sentence, warnings_); }

  const std::string& lines() const { return lines_; }
  const std::string& notes() const { return notes_; }
  const std::string& warnings() const { return warnings_; }

 private:
  static void add(const std::string& sentence, std::string& to) { to += without_marks(sentence) + "\n"; }

  std::string lines_, notes_, warnings_;
};

}  // namespace resflow::testing
