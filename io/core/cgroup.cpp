#include "io/core/cgroup.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

namespace resflow {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// mountinfo writes blanks and other odd characters of a path as \ooo.
std::string unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct CgroupMount {
  bool v2 = false;
  std::string cgroup_root;  // what of the hierarchy is mounted
  fs::path point;
};

// The v2 hierarchy, and the v1 hierarchy of the controller.
std::vector<CgroupMount> cgroup_mounts(const std::string& controller, const fs::path& root) {
  std::vector<CgroupMount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAG... - TYPE SOURCE SUPER_OPTIONS
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto left = split(line.substr(0, dash), ' ');
    const auto right = split(line.substr(dash + 3), ' ');
    if (left.size() < 5 || right.size() < 3) continue;
    const bool v2 = right[0] == "cgroup2";
    const auto options = split(right[2], ',');
    const bool v1 = right[0] == "cgroup" && std::find(options.begin(), options.end(), controller) != options.end();
    if (v2 || v1) mounts.push_back({v2, unescape(left[3]), unescape(left[4])});
  }
  return mounts;
}

// The path of this process in the hierarchy of `mount`, from its line of proc/self/cgroup.
std::optional<std::string> own_cgroup(const std::string& controller, const fs::path& root, bool v2) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // ID:CONTROLLERS:PATH; v2 has id 0 and no controllers
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
    const bool matches = v2 ? line.compare(0, first, "0") == 0 && second == first + 1
                            : std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
    if (matches) return line.substr(second + 1);
  }
  return std::nullopt;
}

}  // namespace

std::vector<CgroupFolder> cgroup_folders(const std::string& controller, const fs::path& root) {
  std::vector<CgroupFolder> folders;
  for (const CgroupMount& mount : cgroup_mounts(controller, root)) {
    const auto path = own_cgroup(controller, root, mount.v2);
    if (!path) continue;
    // The mount may show a part of the hierarchy only (a container's); paths outside of it stay at its root.
    const bool below = mount.cgroup_root != "/" && path->starts_with(mount.cgroup_root);
    const std::string relative = below ? path->substr(mount.cgroup_root.size()) : *path;
    const fs::path top = root / mount.point.relative_path();
    fs::path folder = (top / fs::path(relative).relative_path()).lexically_normal();
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) folder = top;
    for (fs::path at = folder;; at = at.parent_path()) {
      folders.push_back({at, mount.v2});
      if (at == top || at == at.parent_path()) break;
    }
  }
  return folders;
}

}  // namespace resflow
