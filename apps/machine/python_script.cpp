#include "apps/machine/python_script.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/file.h"

extern char** environ;

namespace resflow {
namespace {

constexpr size_t kLongestWords = 400;

std::string read_all(const std::string& path) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer);
  return {bytes.begin(), bytes.end()};
}

std::string last_line(std::string_view text) {
  const size_t end = text.find_last_not_of(" \r\n\t");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const size_t begin = text.find_last_of('\n');
  return printable(begin == std::string_view::npos ? text : text.substr(begin + 1), kLongestWords);
}

class FileActions {
 public:
  FileActions(const std::string& out, const std::string& err) {
    posix_spawn_file_actions_init(&actions_);
    open(0, "/dev/null", O_RDONLY);
    open(1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
    open(2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  void open(int file, const char* path, int flags) {
    if (posix_spawn_file_actions_addopen(&actions_, file, path, flags, 0600) != 0)
      throw system_error("no memory to start a process");
  }
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

PythonRun run_python_script(const std::string& python, const std::string& script,
                            const std::vector<std::string>& arguments, const ScratchFolder& folder) {
  std::vector<std::string> words = {python, "-c", "import sys\nif sys.path[0] == '': del sys.path[0]\n" + script};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = folder / "out", err = folder / "err";
  const FileActions actions(out, err);

  PythonRun run;
  pid_t pid = -1;
  // Not fork(): threads of TBB may hold locks that the child would never see released.
  if (const int error = posix_spawnp(&pid, argv[0], actions.get(), nullptr, argv.data(), environ); error != 0) {
    if (error == EAGAIN || error == ENOMEM)
      throw system_error("{}: the machine starts no more processes ({})", python, std::strerror(error));
    run.why = std::strerror(error);
    return run;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw system_error("{}: waiting for it failed ({})", python, std::strerror(errno));
  }
  run.started = true;
  run.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  run.why =
      WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status)) : fmt::format("signal {}", WTERMSIG(status));
  run.out = read_all(out);
  run.last_words = last_line(read_all(err));
  return run;
}

}  // namespace resflow
