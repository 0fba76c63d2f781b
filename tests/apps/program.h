// Runs the real program, on photographs that the test draws.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "apps/data/demo_photos.h"
#include "io/images/jpeg_encode.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/python.h"

extern char** environ;

namespace resflow::testing {

// A photograph of surface `kind` (0 to 3) as the bytes of a JPEG file.
inline std::string photo_bytes(int kind, uint64_t number) {
  const std::vector<uint8_t> bytes = encode_jpeg(draw_demo_photo(kind, number));
  return {bytes.begin(), bytes.end()};
}

// ROOT/CLASS/NN.jpg for the first `classes` surfaces.
inline void draw_photos(const std::string& root, int classes, int each, uint64_t first = 0) {
  for (int kind = 0; kind < classes; ++kind)
    for (int i = 0; i < each; ++i)
      write_text(root + "/" + demo_classes()[static_cast<size_t>(kind)] + "/" + (i < 10 ? "0" : "") +
                     std::to_string(i) + ".jpg",
                 photo_bytes(kind, first + static_cast<uint64_t>(i)));
}

inline ProcessResult resflow(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), RESFLOW_PROGRAM);
  return run_process(arguments, {.input = input, .environment = {}});
}

// Quick on any machine, and small enough that batch norm still sees several values.
inline std::vector<std::string> train_arguments(const std::string& data, const std::string& out,
                                                const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"train", data,      "--out", out,        "--model", "resnet18",  "--image-size",
                                  "48",    "--batch", "4",     "--epochs", "1",       "--threads", "2"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// The program with these arguments in a shell, whose words around it stand in `script` before and after a @.
inline std::vector<std::string> in_shell(const std::string& script, const std::vector<std::string>& arguments) {
  const size_t at = script.find('@');
  std::vector<std::string> command = {"/bin/bash", "-c", script.substr(0, at) + "\"$0\" \"$@\"" + script.substr(at + 1),
                                      RESFLOW_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

// A program under way, that can be sent signals. What it says goes to LOG.
class RunningProgram {
 public:
  RunningProgram(std::vector<std::string> arguments, const std::string& log)
      : RunningProgram(log, (arguments.insert(arguments.begin(), RESFLOW_PROGRAM), arguments)) {}
  // As in_shell(), where `script` begins with "exec": so the signals go to the program itself.
  RunningProgram(const std::string& script, const std::vector<std::string>& arguments, const std::string& log)
      : RunningProgram(log, in_shell(script, arguments)) {}
  ~RunningProgram() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void send(int signal) const { ::kill(pid_, signal); }

  bool ended() {
    if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
    return pid_ <= 0;
  }

  // The exit code, 128 + signal where it was killed.
  int wait() {
    if (pid_ > 0) waitpid(pid_, &status_, 0);
    pid_ = -1;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

  // Until `holds` or the program has ended; at most two minutes.
  bool wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 12000; ++i) {
      if (holds()) return true;
      if (ended()) return holds();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  // Until signals that ask to stop no longer end it at once.
  bool wait_until_it_obeys() {
    return wait_until([this] {
      std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
      for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigCgt:")) return (std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
      return false;
    });
  }

 private:
  RunningProgram(const std::string& log, std::vector<std::string> command) {
    std::vector<char*> argv;
    for (auto& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
  }

  pid_t pid_ = -1;
  int status_ = 0;
};

}  // namespace resflow::testing
