// Files that a script beside makes, and what Pillow and resflow make of each.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/images/decode.h"
#include "io/pictures/dataset.h"
#include "tests/support/python.h"

namespace resflow::testing {

inline constexpr const char* kNoPillow = "no Pillow for /usr/bin/python3";

// Runs tests/io/images/SCRIPT KIND FOLDER/KIND [COUNT]; the files that it makes, sorted by name.
inline std::vector<std::string> made_files(const TemporaryFolder& folder, const std::string& script,
                                           const std::string& kind, const std::string& count = {}) {
  std::vector<std::string> arguments = {kind, folder / kind};
  if (!count.empty()) arguments.push_back(count);
  run_python("io/images/" + script, arguments);
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder / kind)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// "width height crc32 adler32", as tests/io/images/pillow_decode.py puts it.
inline std::string digest(const Image& image) {
  const auto size = static_cast<uInt>(image.row_bytes()) * static_cast<uInt>(image.height());
  return fmt::format("{} {} {} {}", image.width(), image.height(), crc32(0, image.row(0), size),
                     adler32(1, image.row(0), size));
}

// Or "error REASON". An Error of any kind but kData is a failure.
inline std::string verdict(const std::string& path, Decoder& decoder) {
  std::vector<uint8_t> buffer;
  Image image;
  try {
    decoder.open(read_file(path, buffer));
    decoder.decode(image);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData) << path << ": " << error.what();
    return std::string("error ") + error.what();
  }
  return digest(image);
}

struct Verdicts {
  std::string path, ours, theirs;
  bool we_refuse() const { return ours.starts_with("error"); }
  bool they_refuse() const { return theirs.starts_with("error"); }
};

// One decoder for all: nothing of a file may reach the next.
inline std::vector<Verdicts> verdicts(const std::vector<std::string>& paths, bool exif = false,
                                      bool truncated = false) {
  const TemporaryFolder folder;
  {
    std::ofstream list(folder / "list");
    for (const auto& path : paths) list << path << '\n';
  }
  std::vector<std::string> arguments = {folder / "list"};
  if (exif) arguments.emplace_back("exif");
  if (truncated) arguments.emplace_back("truncated");
  std::istringstream theirs(run_python("io/images/pillow_decode.py", arguments));
  std::vector<Verdicts> all;
  Decoder decoder;
  decoder.set_exif(exif);
  decoder.set_acceptance({.truncated = truncated});
  for (const auto& path : paths) {
    Verdicts both{path, verdict(path, decoder), {}};
    EXPECT_TRUE(std::getline(theirs, both.theirs)) << "fewer answers than files";
    all.push_back(std::move(both));
  }
  return all;
}

struct Agreement {
  int same_pixels = 0, both_refuse = 0, tolerated = 0;
};

// Expects the same of both, but where `tolerate` says that a difference is meant.
inline Agreement expect_pillow_agrees(
    const std::vector<std::string>& paths, bool exif = false,
    const std::function<bool(const Verdicts&)>& tolerate = [](const Verdicts&) { return false; }) {
  Agreement agreement;
  for (const Verdicts& both : verdicts(paths, exif)) {
    if (both.we_refuse() && both.they_refuse()) {
      ++agreement.both_refuse;
    } else if (both.ours == both.theirs) {
      ++agreement.same_pixels;
    } else if (tolerate(both)) {
      ++agreement.tolerated;
    } else {
      ADD_FAILURE() << both.path << "\n  resflow: " << both.ours << "\n  Pillow:  " << both.theirs;
    }
  }
  return agreement;
}

// Decodes some regions of the file and expects those of the whole.
inline void expect_regions_equal_the_whole(const std::string& path, Decoder& decoder) {
  std::vector<uint8_t> buffer;
  Image whole, part;
  decoder.open(read_file(path, buffer));
  decoder.decode(whole);
  const int width = decoder.width(), height = decoder.height();
  const std::vector<Rect> regions = {{0, 0, width, 1},
                                     {width - 1, 0, 1, height},
                                     {width / 3, height / 4, (width + 1) / 2, (height + 1) / 2},
                                     {width - 1, height - 1, 1, 1}};
  for (const Rect& region : regions) {
    decoder.decode(region, part);
    ASSERT_EQ(part.width(), region.width);
    ASSERT_EQ(part.height(), region.height);
    for (int y = 0; y < region.height; ++y) {
      const uint8_t* from = whole.row(region.top + y) + static_cast<ptrdiff_t>(region.left) * 3;
      ASSERT_TRUE(std::equal(from, from + part.row_bytes(), part.row(y)))
          << path << ": " << region.width << "x" << region.height << " at " << region.left << "," << region.top;
    }
  }
}

}  // namespace resflow::testing
