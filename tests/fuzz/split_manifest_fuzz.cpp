// split.json in a folder that somebody else made: whatever it says, nothing outside the split and its data is made,
// moved or removed.
#include "apps/data/split_folder.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

namespace fs = std::filesystem;

// What SANDBOX in an input stands for.
std::string make_sandbox() {
  std::string folder = (fs::temp_directory_path() / "resflow-split-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) finding("no folder for files");
  static std::string kept;
  kept = folder;
  std::atexit([] {
    std::error_code ignored;
    fs::remove_all(kept, ignored);
  });
  return folder;
}

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A manifest that names places elsewhere on this machine is not tried on this machine.
bool stays_within(const nlohmann::json& json, const std::string& sandbox) {
  if (json.is_string()) {
    const auto text = json.get<std::string>();
    return text.find("..") == std::string::npos && (!text.starts_with('/') || text.starts_with(sandbox + "/"));
  }
  // Names that are no UTF-8 are written otherwise: what they say cannot be seen here.
  if (json.is_object() && json.size() == 1 && json.begin()->is_string() && !json.contains("place")) return false;
  return !json.is_structured() ||
         std::all_of(json.begin(), json.end(), [&](const auto& entry) { return stays_within(entry, sandbox); });
}

void run(std::span<const uint8_t> bytes) {
  static const std::string sandbox = make_sandbox();
  std::string text(bytes.begin(), bytes.end());
  constexpr std::string_view kPlaceholder = "SANDBOX";
  for (size_t at = 0; (at = text.find(kPlaceholder, at)) != std::string::npos; at += sandbox.size())
    text.replace(at, kPlaceholder.size(), sandbox);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_discarded() && !stays_within(json, sandbox)) return;

  const fs::path root(sandbox);
  for (const auto& entry : fs::directory_iterator(root)) fs::remove_all(entry.path());
  fs::current_path(root);
  put(root / "data/cat/1.jpg", "one");
  put(root / "elsewhere/keep", "kept");
  put(root / "out.partial/train/cat/1.jpg", "foreign");
  fs::create_directory_symlink(root / "elsewhere", root / "out.partial/link");
  put(root / "out.partial/split.json", text);
  const std::string out = (root / "out").string(), data = (root / "data").string();
  try {
    recover_split_folder(out, data, silent());
    check_split_folder(out, data, true);
  } catch (const Error&) {  // that it is in the way
  }
  std::ifstream kept(root / "elsewhere/keep");
  if (std::string(std::istreambuf_iterator<char>(kept), {}) != "kept") finding("a file elsewhere is gone");
  if (std::distance(fs::directory_iterator(root / "elsewhere"), {}) != 1) finding("a file was put elsewhere");
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name != "data" && name != "elsewhere" && !name.starts_with("out")) finding(name + " was put beside the split");
  }
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
