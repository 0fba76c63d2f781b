// Class folders to split, and the split that comes of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/images/image_format.h"
#include "tests/apps/program.h"

namespace resflow::testing {

// Every file below `root`: name -> content. Links are followed.
inline std::map<std::string, std::string> files(const std::string& root) {
  std::map<std::string, std::string> all;
  if (!std::filesystem::exists(root)) return all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (!entry.is_directory()) all[entry.path().lexically_relative(root).string()] = read_text(entry.path());
  return all;
}

// 3 classes of different size; content is the name, which is all that split looks at.
inline void make_data(const std::string& root) {
  const std::pair<const char*, int> kClasses[] = {{"ant", 20}, {"bee", 10}, {"cat", 5}};
  for (const auto& [name, count] : kClasses)
    for (int i = 0; i < count; ++i) {
      const std::string place = std::string(name) + (i % 2 == 0 ? "/" : "/deeper/") + std::to_string(i / 2) + ".jpg";
      write_text(root + "/" + place, "this is " + place);
    }
  write_text(root + "/ant/notes.txt", "no picture");
}

class SplitFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    make_data(data_);
    before_ = files(data_);
  }

  ProcessResult split(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"split", data_, "--out", out_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return resflow(arguments);
  }

  // The pictures of all parts together: CLASS/NAME -> content.
  std::map<std::string, std::string> united() {
    std::map<std::string, std::string> all;
    size_t pictures = 0;
    for (const char* part : {"train", "val", "test"})
      for (const auto& [name, content] : files(out_ + "/" + part)) {
        all[name] = content;
        ++pictures;
      }
    EXPECT_EQ(all.size(), pictures) << "a picture in two parts";
    return all;
  }

  std::map<std::string, std::string> pictures() {
    std::map<std::string, std::string> all = before_;
    std::erase_if(all, [](const auto& file) { return !has_image_extension(file.first); });
    return all;
  }

  std::vector<std::string> beside_data() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", out_ = folder_ / "out";
  std::map<std::string, std::string> before_;
};

}  // namespace resflow::testing
