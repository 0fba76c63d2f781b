// resflow score: rows in order, whatever the files are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/checkpoint/checkpoint.h"
#include "io/images/decode.h"
#include "io/images/png_encode.h"
#include "tests/apps/program.h"
#include "tests/support/exif_jpeg.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The rows of a table, by RFC 4180.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        field += text[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == '\n') {
      row.push_back(field);
      field.clear();
      if (c == '\n') rows.push_back(std::exchange(row, {}));
    } else {
      field += c;
    }
  }
  EXPECT_TRUE(field.empty() && row.empty()) << "the last row has no end";
  return rows;
}

std::vector<std::string> column(const std::vector<std::vector<std::string>>& rows, size_t index) {
  std::vector<std::string> values;
  for (size_t i = 1; i < rows.size(); ++i) values.push_back(rows[i][index]);
  return values;
}

class ScoreProgram : public ::testing::Test {
 protected:
  ScoreProgram() {
    draw_photos(data_, 3, 4);
    const ProcessResult trained = resflow(train_arguments(data_, folder_ / "run"));
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", model_ = folder_ / "run/best.resflow";
};

TEST_F(ScoreProgram, GivesEveryFileItsRowInOrderAndBrokenOnesTheReason) {
  // A whole batch of broken ones too: 4 fit in one.
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) write_text(folder_ / "mixed/" + name, "no picture");
  write_text(folder_ / "mixed/e, \"odd\"\nname.jpg", photo_bytes(0, 0));
  write_text(folder_ / "mixed/f.jpg", photo_bytes(1, 0).substr(0, 700));
  write_text(folder_ / "mixed/sub/g.jpg", photo_bytes(2, 0));
  write_text(folder_ / "mixed/notes.txt", "not listed");
  const std::string absent = folder_ / "absent.jpg";

  const ProcessResult result =
      resflow({"score", model_, folder_ / "mixed", absent, data_ + "/net/00.jpg", "--batch", "2", "--top", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto rows = parse_csv(result.out);
  ASSERT_EQ(rows.size(), 10U);
  EXPECT_THAT(rows[0], ElementsAre("path", "class", "probability", "class_2", "probability_2", "error"));
  const std::string m = folder_ / "mixed/";
  EXPECT_THAT(column(rows, 0),
              ElementsAre(m + "a.jpg", m + "b.jpg", m + "c.jpg", m + "d.jpg", m + "e, \"odd\"\nname.jpg", m + "f.jpg",
                          m + "sub/g.jpg", absent, data_ + "/net/00.jpg"));
  for (size_t i = 1; i < rows.size(); ++i) {
    const bool broken = i <= 4 || i == 6 || i == 8;
    EXPECT_EQ(rows[i][5].empty(), !broken) << rows[i][0] << ": " << rows[i][5];
    EXPECT_EQ(rows[i][1].empty(), broken) << rows[i][0];
    if (broken) continue;
    const double first = std::stod(rows[i][2]), second = std::stod(rows[i][4]);
    EXPECT_GE(first, second);
    EXPECT_LE(first + second, 1 + 2e-6);  // six digits each
  }
  EXPECT_THAT(result.err, HasSubstr("scored 9 files (6 with an error)"));
}

TEST_F(ScoreProgram, ReadsAListAndWritesAFileWithTheSameRows) {
  std::string list;
  for (const char* name : {"/net/02.jpg", "/fence/01.jpg", "/net/00.jpg"}) list += data_ + name + "\n";
  const ProcessResult streamed = resflow({"score", model_, "-"}, list);
  ASSERT_EQ(streamed.exit_code, 0) << streamed.err;
  EXPECT_THAT(column(parse_csv(streamed.out), 0),
              ElementsAre(data_ + "/net/02.jpg", data_ + "/fence/01.jpg", data_ + "/net/00.jpg"));
  const std::string csv = folder_ / "scores.csv", json = folder_ / "scores.json";
  const ProcessResult written = resflow({"score", model_, "-", "--out", csv, "--json", json}, list);
  ASSERT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(written.out, "");
  EXPECT_EQ(read_text(csv), streamed.out);
  const auto report = nlohmann::json::parse(read_text(json));
  EXPECT_GT(report.at("images_per_second").get<double>(), 0);
  EXPECT_EQ(report.at("images"), 3);
  // Nothing else is left beside them.
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_THAT(entry.path().filename().string(), ::testing::AnyOf("data", "run", "scores.csv", "scores.json"));
}

TEST_F(ScoreProgram, DoesNotDependOnTheBatch) {
  // Where a picture lies in a batch may change the last bits of f32, which six digits do not show as a class.
  const auto one = parse_csv(resflow({"score", model_, data_, "--batch", "1"}).out);
  const auto many = parse_csv(resflow({"score", model_, data_, "--batch", "8"}).out);
  ASSERT_EQ(one.size(), 13U);
  EXPECT_EQ(column(one, 1), column(many, 1));
  for (size_t i = 1; i < one.size(); ++i) EXPECT_NEAR(std::stod(one[i][2]), std::stod(many[i][2]), 1e-4);
}

TEST_F(ScoreProgram, TurnsPicturesUprightWhereItIsAskedTo) {
  const std::string photo = photo_bytes(0, 0);
  const std::vector<uint8_t> turned = with_exif({photo.begin(), photo.end()}, 6);
  const auto write = [&](const std::string& name, const std::vector<uint8_t>& bytes) {
    write_text(folder_ / "turned/" + name, {bytes.begin(), bytes.end()});
  };
  write("1-turned.jpg", turned);
  Decoder decoder;
  Image image;
  for (const bool exif : {false, true}) {
    decoder.set_exif(exif);
    decoder.open(turned);
    decoder.decode(image);
    write(exif ? "3-upright.png" : "2-stored.png", encode_png(image));
  }
  // One at a time, so that the same pixels are the same digits.
  const auto scores = [&](std::vector<std::string> more, const std::string& model) {
    std::vector<std::string> arguments = {"score", model, folder_ / "turned", "--top", "3", "--batch", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto rows = parse_csv(resflow(arguments).out);
    for (auto& row : rows) row.erase(row.begin());  // the path
    return rows;
  };
  const auto off = scores({}, model_), on = scores({"--exif"}, model_);
  ASSERT_EQ(off.size(), 4U);
  ASSERT_EQ(on.size(), 4U);
  EXPECT_NE(off[2], off[3]) << "the test's pictures must differ once they are turned";
  EXPECT_EQ(off[1], off[2]);
  EXPECT_EQ(on[1], on[3]);
  EXPECT_EQ(on[2], off[2]);

  // A model that was trained so scores so without being told, as .safetensors too.
  std::vector<std::string> arguments = train_arguments(data_, folder_ / "upright");
  arguments.emplace_back("--exif");
  ASSERT_EQ(resflow(arguments).exit_code, 0);
  const std::string upright = folder_ / "upright/best.resflow", converted = folder_ / "upright.safetensors";
  ASSERT_EQ(resflow({"convert", upright, converted}).exit_code, 0);
  for (const std::string& model : {upright, converted}) {
    const auto rows = scores({}, model);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[1], rows[3]);
    EXPECT_NE(rows[1], rows[2]);
  }
}

TEST_F(ScoreProgram, ClampsTopToTheClassesThereAre) {
  const ProcessResult result = resflow({"score", model_, data_ + "/net/00.jpg", "--top", "9"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("--top 9: the model has 3 classes"));
  EXPECT_EQ(parse_csv(result.out)[0].size(), 8U);
  EXPECT_EQ(resflow({"score", model_, data_, "--top", "0"}).exit_code, 2);
}

TEST_F(ScoreProgram, NothingToScoreIsBadData) {
  fs::create_directories(folder_ / "empty");
  EXPECT_EQ(resflow({"score", model_, folder_ / "empty"}).exit_code, 3);
  EXPECT_EQ(resflow({"score", model_, "-"}, "\n").exit_code, 3);
  const ProcessResult absent = resflow({"score", model_, folder_ / "absent.jpg"});
  EXPECT_EQ(absent.exit_code, 3);
  EXPECT_EQ(parse_csv(absent.out).size(), 2U);
  EXPECT_THAT(absent.err, HasSubstr("none of the 1 file could be scored"));
}

TEST_F(ScoreProgram, RefusesCheckpointsThatAreNotWhole) {
  const std::string whole = read_text(model_), broken = folder_ / "broken.resflow";
  std::string flipped = whole;
  flipped[flipped.size() / 3] = static_cast<char>(flipped[flipped.size() / 3] ^ 4);
  for (const std::string& content : {whole.substr(0, whole.size() - 1), whole.substr(0, 20), flipped,
                                     std::string("PK\x03\x04 a .pth"), std::string()}) {
    write_text(broken, content);
    const ProcessResult result = resflow({"score", broken, data_});
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_THAT(result.err, HasSubstr(broken));
    EXPECT_EQ(result.out, "");
  }
  EXPECT_EQ(resflow({"score", folder_ / "absent.resflow", data_}).exit_code, 3);
}

TEST_F(ScoreProgram, RefusesAModelThatDoesNotFitItsClasses) {
  Checkpoint checkpoint = load_checkpoint(model_);
  checkpoint.classes.push_back("one too many");
  const std::string other = folder_ / "other.resflow";
  save_checkpoint(checkpoint, other);
  const ProcessResult names = resflow({"score", other, data_});
  EXPECT_EQ(names.exit_code, 3);
  EXPECT_THAT(names.err, HasSubstr("has 4 class names, but its resnet18 has 3 outputs"));

  checkpoint.model.num_classes = 4;
  save_checkpoint(checkpoint, other);
  const ProcessResult shape = resflow({"score", other, data_});
  EXPECT_EQ(shape.exit_code, 3);
  EXPECT_THAT(shape.err, HasSubstr("fc.weight"));
  EXPECT_THAT(shape.err, HasSubstr("(3,512)"));
}

TEST_F(ScoreProgram, TakesForeignFilesWithTheSameRows) {
  const std::string own = resflow({"score", model_, data_, "--top", "3"}).out;
  ASSERT_EQ(parse_csv(own).size(), 13U);
  // .safetensors carries what a checkpoint does; .pth is told it.
  const std::string safetensors = folder_ / "m.safetensors", pth = folder_ / "m.pth";
  ASSERT_EQ(resflow({"convert", model_, safetensors}).exit_code, 0);
  ASSERT_EQ(resflow({"convert", model_, pth}).exit_code, 0);
  const ProcessResult carried = resflow({"score", safetensors, data_, "--top", "3"});
  ASSERT_EQ(carried.exit_code, 0) << carried.err;
  EXPECT_EQ(carried.out, own);
  std::string names;
  for (const std::string& name : load_checkpoint(model_).classes) names += name + "\n";
  write_text(folder_ / "names.txt", names);
  const ProcessResult told = resflow(
      {"score", pth, data_, "--top", "3", "--model", "resnet18", "--classes", folder_ / "names.txt", "--crop", "48"});
  ASSERT_EQ(told.exit_code, 0) << told.err;
  EXPECT_EQ(told.out, own);
  EXPECT_THAT(told.err, ::testing::Not(HasSubstr("note")));

  const ProcessResult unnamed = resflow({"score", pth, data_ + "/net/00.jpg"});
  ASSERT_EQ(unnamed.exit_code, 0) << unnamed.err;
  EXPECT_THAT(parse_csv(unnamed.out)[1][1], ::testing::StartsWith("class "));
  EXPECT_THAT(unnamed.err, HasSubstr("does not name its classes"));
  EXPECT_THAT(unnamed.err, HasSubstr("does not say how pictures are prepared"));

  const auto refused = [&](std::vector<std::string> arguments, int exit_code, const std::string& words) {
    arguments.insert(arguments.begin(), "score");
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(result.out, "");
  };
  refused({model_, data_, "--crop", "64"}, 2, "carries its own preprocessing");
  refused({safetensors, data_, "--resize", "64"}, 2, "carries its own preprocessing");
  refused({pth, data_, "--model", "resnet34"}, 3, "It is a resnet18 with 3 classes");
  refused({pth, data_, "--classes", "imagenet"}, 3, "has 1,000 names, but its resnet18 has 3 outputs");
  refused({pth, data_, "--crop", "1"}, 2, "--crop");
}

TEST_F(ScoreProgram, KeepsThePreviousTableWhereTheNewOneCannotBeWritten) {
  const std::string csv = folder_ / "scores.csv";
  write_text(csv, "previous");
  const ProcessResult result = run_process(
      {"sh", "-c", "ulimit -f 0; exec \"$0\" \"$@\"", RESFLOW_PROGRAM, "score", model_, data_, "--out", csv});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_EQ(read_text(csv), "previous");
  EXPECT_EQ(resflow({"score", model_, data_, "--out", folder_ / "absent/scores.csv"}).exit_code, 2);
}

}  // namespace
}  // namespace resflow::testing
