// A Python script as a process of its own.
#pragma once

#include <string>
#include <vector>

namespace resflow {

// A folder of its own for files that pass between processes, removed with all its content at the end.
class ScratchFolder {
 public:
  ScratchFolder();  // Throws Error{kSystem}.
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct PythonRun {
  bool started = false;
  std::string why;         // it has not started, or how it ended: "exit code 1", "signal 9"
  bool succeeded = false;  // exit code 0
  std::string out;         // what it printed
  std::string last_words;  // the last line of its standard error, made fit for a sentence
};

// Runs `script`, a program's text, by `python` (looked for in PATH) and waits for it. Its current folder is no place
// where modules are looked for. What it prints passes through files in `folder`.
// Throws Error{kSystem} where processes cannot be made at all.
PythonRun run_python_script(const std::string& python, const std::string& script,
                            const std::vector<std::string>& arguments, const ScratchFolder& folder);

}  // namespace resflow
