// Runs a program and collects what it says.
#pragma once

#include <string>
#include <vector>

namespace resflow::testing {

struct ProcessResult {
  int exit_code = -1;  // 128 + signal where it was killed
  std::string out, err;
};

struct ProcessOptions {
  std::string input;                     // standard input
  std::vector<std::string> environment;  // added: "NAME=value"
};

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options = {});

}  // namespace resflow::testing
