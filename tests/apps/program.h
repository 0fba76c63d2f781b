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

// A program under way, that can be sent signals. What it says goes to LOG.
class RunningProgram {
 public:
  RunningProgram(std::vector<std::string> arguments, const std::string& log) {
    arguments.insert(arguments.begin(), RESFLOW_PROGRAM);
    std::vector<char*> argv;
    for (auto& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot start " + arguments[0]);
  }
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

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

}  // namespace resflow::testing
