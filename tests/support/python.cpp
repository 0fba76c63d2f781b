#include "tests/support/python.h"

#include <cstdlib>
#include <stdexcept>

#include "tests/support/process.h"

namespace resflow::testing {
namespace {

// Empty where there is none.
std::string interpreter(Python python) {
  if (python == Python::kEnv) {
    std::string found = run_process({std::string(RESFLOW_SOURCE_DIR) + "/scripts/python-env", "--find"}).out;
    while (!found.empty() && found.back() == '\n') found.pop_back();
    return found;
  }
  static constexpr const char* kDebianPython = "/usr/bin/python3";
  return std::filesystem::exists(kDebianPython) ? kDebianPython : "";
}

}  // namespace

bool python_has(const std::vector<std::string>& modules, Python python) {
  const std::string program = interpreter(python);
  if (program.empty()) return false;
  // Looked up, not imported: PyTorch's import alone takes seconds, and the test's own script does it again.
  std::vector<std::string> command = {program, "-c",
                                      "import importlib.util, sys\n"
                                      "sys.exit(not all(importlib.util.find_spec(name) for name in sys.argv[1:]))"};
  command.insert(command.end(), modules.begin(), modules.end());
  return run_process(command).exit_code == 0;
}

std::string run_python(const std::string& script, const std::vector<std::string>& arguments, Python python) {
  std::vector<std::string> command = {interpreter(python), std::string(RESFLOW_SOURCE_DIR) + "/tests/" + script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  // The interpreter has no sanitizer runtime of ours, and must not write caches beside the sources. PyTorch's threads
  // wait for one another by spinning unless told otherwise, which takes the cores from the test that runs beside.
  const ProcessResult result =
      run_process(command, {.input = {}, .environment = {"PYTHONDONTWRITEBYTECODE=1", "OMP_WAIT_POLICY=passive"}});
  if (result.exit_code != 0)
    throw std::runtime_error(script + " exited with " + std::to_string(result.exit_code) + ":\n" + result.err);
  return result.out;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "resflow-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed in " + pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace resflow::testing
