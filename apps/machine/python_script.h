// A Python script as a process of its own.
#pragma once

#include <string>
#include <vector>

#include "apps/machine/scratch_folder.h"

namespace resflow {

struct PythonRun {
  bool started = false;
  std::string why;         // why it has not started, or how it ended: "exit code 1", "signal 9"
  bool succeeded = false;  // exit code 0
  std::string out;         // what it printed
  std::string last_words;  // the last line of its standard error, made fit for a sentence
};

// Runs `script`, a program's text, by `python` (looked for in PATH) and waits for it. Python looks for no modules in
// the current folder. What the script prints passes through files in `folder`. Throws Error{kSystem} where processes
// cannot be made at all.
PythonRun run_python_script(const std::string& python, const std::string& script,
                            const std::vector<std::string>& arguments, const ScratchFolder& folder);

}  // namespace resflow
