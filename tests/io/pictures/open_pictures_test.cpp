#include "io/pictures/open_pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "io/pack/writer.h"
#include "tests/io/expect_error.h"
#include "tests/io/pictures/listed.h"
#include "tests/io/pictures/made_archive.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::expect_error;
using testing::names_of;
using testing::pictures_of;
using testing::TemporaryFolder;
using testing::touch;

class OpenPictures : public ::testing::Test {
 protected:
  OpenPictures() {
    for (const char* name : {"photos/a.jpg", "photos/sub/b.png", "photos/notes.txt", "odd[1].jpg"})
      touch(folder_ / name);
    testing::write_archive(folder_ / "x.tar.gz", {{"m.jpg", "m"}, {"n.jpg", "n"}}, ARCHIVE_FILTER_GZIP);
    fs::copy_file(folder_ / "x.tar.gz", folder_ / "no extension");
    fs::copy_file(folder_ / "x.tar.gz", folder_ / "archive.jpg");
    for (const char* name : {"x.pack", "pack.tar", "pack.jpg", "none.pack"}) {
      PackWriter pack(folder_ / name, {});
      for (const char* picture : {"p.jpg", "q/r.jpg", "s.png"})
        if (std::string(name) != "none.pack") pack.add(picture, -1, {});
      pack.commit();
    }
    testing::write_text(folder_ / "list.txt", folder_ / "photos/a.jpg" + "\n" + (folder_ / "absent.jpg") + "\n");
  }

  std::vector<Input> inputs(const std::vector<std::string>& names) {
    std::vector<Input> all;
    for (const std::string& name : names) all.push_back(recognise_input(folder_ / name));
    return all;
  }

  TemporaryFolder folder_;
};

TEST_F(OpenPictures, TellsWhatAnArgumentIs) {
  const std::vector<std::pair<std::string, InputKind>> kinds = {
      {"photos", InputKind::kFolder},     {"photos/", InputKind::kFolder},        {"absent/", InputKind::kFolder},
      {"photos/a.jpg", InputKind::kFile}, {"photos/notes.txt", InputKind::kFile}, {"absent.jpg", InputKind::kFile},
      {"odd[1].jpg", InputKind::kFile},   {"odd[2].jpg", InputKind::kGlob},       {"ph*", InputKind::kGlob},
      {"x.tar.gz", InputKind::kArchive},  {"absent.tar", InputKind::kArchive},    {"no extension", InputKind::kArchive},
      {"archive.jpg", InputKind::kFile},  {"x.pack", InputKind::kPack},           {"pack.tar", InputKind::kPack},
      {"pack.jpg", InputKind::kFile},     {"absent.pack", InputKind::kFile}};
  for (const auto& [name, kind] : kinds) EXPECT_EQ(recognise_input(folder_ / name).kind, kind) << name;
  EXPECT_EQ(recognise_input("-").kind, InputKind::kList);
  EXPECT_EQ(recognise_input("/dev/null").kind, InputKind::kFile);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(recognise_input(folder_ / "pipe").kind, InputKind::kArchive);
}

TEST_F(OpenPictures, GivesAMixtureInTheOrderOfTheArguments) {
  auto all = inputs(
      {"x.tar.gz", "absent.jpg", "photos", "[ao]*.jpg", "no extension", "photos/notes.txt", "?.tar.gz", "photos/*"});
  all.push_back({folder_ / "list.txt", InputKind::kList});
  InputSource source(all);
  EXPECT_EQ(source.count(), std::nullopt);
  EXPECT_THAT(names_of(pictures_of(source)),
              ElementsAre(folder_ / "x.tar.gz/m.jpg", folder_ / "x.tar.gz/n.jpg", folder_ / "absent.jpg",
                          folder_ / "photos/a.jpg", folder_ / "photos/sub/b.png", folder_ / "archive.jpg",
                          folder_ / "odd[1].jpg", folder_ / "no extension/m.jpg", folder_ / "no extension/n.jpg",
                          folder_ / "photos/notes.txt", folder_ / "x.tar.gz/m.jpg", folder_ / "x.tar.gz/n.jpg",
                          folder_ / "photos/a.jpg", folder_ / "photos/notes.txt", folder_ / "photos/sub/b.png",
                          folder_ / "photos/a.jpg", folder_ / "absent.jpg"));
}

TEST_F(OpenPictures, APackIsOneOfThem) {
  InputSource source(inputs({"photos/a.jpg", "x.pack", "pack.tar", "x.p*"}));
  EXPECT_THAT(names_of(pictures_of(source)),
              ElementsAre(folder_ / "photos/a.jpg", folder_ / "x.pack/p.jpg", folder_ / "x.pack/q/r.jpg",
                          folder_ / "x.pack/s.png", folder_ / "pack.tar/p.jpg", folder_ / "pack.tar/q/r.jpg",
                          folder_ / "pack.tar/s.png", folder_ / "x.pack/p.jpg", folder_ / "x.pack/q/r.jpg",
                          folder_ / "x.pack/s.png"));
}

TEST_F(OpenPictures, KnowsHowManyFilesThereAre) {
  EXPECT_EQ(InputSource(inputs({"photos/a.jpg", "x.pack", "pack.tar"})).count(), 7);
  EXPECT_EQ(InputSource(inputs({"x.pack", "x.tar.gz"})).count(), std::nullopt);
  EXPECT_EQ(InputSource(inputs({"photos/a.jpg", "absent.jpg", "photos/a.jpg"})).count(), 3);
  EXPECT_EQ(InputSource(inputs({"photos/a.jpg", "photos"})).count(), std::nullopt);
}

TEST_F(OpenPictures, AMistakeInTheLastInputIsFoundFirst) {
  fs::create_directories(folder_ / "empty/folder");
  testing::write_archive(folder_ / "texts.tar", {{"a.txt", "a"}});
  testing::write_text(folder_ / "empty.txt", "\n");
  for (const char* wrong : {"empty", "absent/", "none*.jpg", "absent.tar", "texts.tar", "none.pack"})
    expect_error(ErrorKind::kData, {folder_ / wrong}, [&] { InputSource source(inputs({"photos", wrong})); });
  for (const char* wrong : {"empty.txt", "absent.txt"})
    expect_error(ErrorKind::kData, {folder_ / wrong}, [&] {
      InputSource source({recognise_input(folder_ / "photos"), {folder_ / wrong, InputKind::kList}});
    });
}

TEST_F(OpenPictures, WhatAnInputLosesEndsWhereItTurnsUp) {
  InputSource source(inputs({"photos/a.jpg", "x.tar.gz"}));
  fs::remove(folder_ / "x.tar.gz");
  Picture picture;
  EXPECT_TRUE(source.next(picture));
  expect_error(ErrorKind::kData, {folder_ / "x.tar.gz", "No such file"}, [&] { source.next(picture); });
}

}  // namespace
}  // namespace resflow
