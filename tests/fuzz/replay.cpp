// Gives the inputs that were kept of a fuzz target to it once: fuzz_replay TARGET FILE-OR-FOLDER...
//
// A target ends the program where it finds something. That the inputs are there is a part of the test.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#define TARGET(name) extern "C" int fuzz_##name(const uint8_t* data, size_t size);
#include "fuzz_targets.inc"
#undef TARGET

// Mutators call it, and here no input is changed.
extern "C" size_t LLVMFuzzerMutate(uint8_t*, size_t size, size_t) { return size; }

namespace {

using Target = int (*)(const uint8_t*, size_t);
namespace fs = std::filesystem;

const std::map<std::string, Target>& targets() {
  static const std::map<std::string, Target> kTargets = {
#define TARGET(name) {#name, fuzz_##name},
#include "fuzz_targets.inc"
#undef TARGET
  };
  return kTargets;
}

void replay(Target target, const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  std::printf("%s, %zu bytes\n", path.c_str(), bytes.size());
  std::fflush(stdout);  // of an input that ends the program the name is there
  target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  const auto target = argc > 2 ? targets().find(argv[1]) : targets().end();
  if (target == targets().end()) {
    std::fprintf(stderr, "fuzz_replay: wanted fuzz_replay TARGET FILE-OR-FOLDER...\n");
    return 2;
  }
  std::vector<fs::path> inputs;
  for (int i = 2; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      inputs.emplace_back(fs::absolute(argv[i]));
      continue;
    }
    for (const auto& entry : fs::directory_iterator(argv[i])) inputs.push_back(fs::absolute(entry.path()));
  }
  for (const fs::path& input : inputs) replay(target->second, input);
  if (inputs.empty()) std::fprintf(stderr, "fuzz_replay: %s has no inputs\n", argv[1]);
  return inputs.empty() ? 1 : 0;
}
