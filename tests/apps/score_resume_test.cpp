// resflow score: what kills, full disks and readers that go leave, and how it goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "io/checkpoint/checkpoint.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Photographs in a folder, some of them broken, some with names that are hard on formats, and a model.
class ScoreResume : public ::testing::Test {
 protected:
  ScoreResume() {
    save_checkpoint(made_checkpoint(), model_);
    for (int i = 0; i < 60; ++i)
      write_text(data_ + "/" + std::to_string(100 + i) + ".jpg", i % 7 == 5 ? "no picture" : photo_bytes(i % 4, i));
    write_text(data_ + "/a,\"b\"\nc.jpg", photo_bytes(0, 100));
    write_text(data_ + "/\xFF\xFE.jpg", photo_bytes(1, 101));
  }

  std::vector<std::string> arguments(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"score", model_, data_, "--out", out, "--batch", "4", "--save-every", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::vector<std::string> names_below(const std::string& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  int64_t rows_saved(const std::string& out) const {
    const auto journal = nlohmann::json::parse(read_text(out + ".journal"), nullptr, false);
    return journal.is_object() ? journal.at("rows").get<int64_t>() : 0;
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", model_ = folder_ / "model.resflow";
};

// Kills `arguments` of `--out OUT` at random moments, until it is done; the files then are `wanted`'s.
// RESFLOW_TEST_KILLS says how many kills are tried for a format.
TEST_F(ScoreResume, KilledAtRandomItEndsWithTheSameBytes) {
  const char* const asked = std::getenv("RESFLOW_TEST_KILLS");
  const int kills = asked != nullptr ? std::atoi(asked) : 3;
  std::minstd_rand random(asked != nullptr ? std::random_device()() : 1);
  for (const std::string format : {"csv", "jsonl", "npz"}) {
    SCOPED_TRACE(format);
    const auto run = [&](const std::string& where) {
      std::vector<std::string> more = {"--errors", where + "/errors.csv", "--resume", "--embeddings",
                                       where + "/embeddings.npy"};
      if (format != "npz") more.insert(more.end(), {"--top", "2"});
      return arguments(where + "/scores." + format, more);
    };
    const std::string whole = folder_ / ("whole-" + format), killed = folder_ / ("killed-" + format);
    fs::create_directories(whole);
    fs::create_directories(killed);
    const auto began = std::chrono::steady_clock::now();
    ASSERT_EQ(resflow(run(whole)).exit_code, 0);
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();

    int done = 0, went_on = 0;
    int64_t saved = 0;
    for (int i = 0; i < kills; ++i) {
      RunningProgram program(run(killed), folder_ / "log");
      const double seconds = took * std::uniform_real_distribution<>(0.2, 1.1)(random);
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      program.send(SIGKILL);
      const int code = program.wait();
      ASSERT_THAT(code, AnyOf(0, 128 + SIGKILL)) << read_text(folder_ / "log");
      if (code == 0) {
        ++done;
        saved = 0;
        continue;
      }
      const int64_t now = rows_saved(killed + "/scores." + format);
      EXPECT_TRUE(now >= saved || now == 0) << now << " rows after " << saved;
      went_on += now > 0 ? 1 : 0;
      saved = now;
    }
    const ProcessResult last = resflow(run(killed));
    ASSERT_EQ(last.exit_code, 0) << last.err;
    EXPECT_EQ(names_below(killed), names_below(whole));
    for (const std::string& name : names_below(whole))
      EXPECT_TRUE(read_text(killed + "/" + name) == read_text(whole + "/" + name)) << name;
    std::printf("%s: %d kills, %d of them with rows to go on from, %d runs were done before\n", format.c_str(), kills,
                went_on, done);
  }
}

TEST_F(ScoreResume, StoppedItSavesAndSaysHowToGoOn) {
  const std::string whole = folder_ / "whole.csv", csv = folder_ / "scores.csv";
  ASSERT_EQ(resflow(arguments(whole)).exit_code, 0);
  int code = 0;
  {
    RunningProgram program(arguments(csv, {"--threads", "1"}), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return rows_saved(csv) >= 4; })) << read_text(folder_ / "log");
    program.send(SIGTERM);
    code = program.wait();
  }
  if (code == 0) GTEST_SKIP() << "it was done before the signal came";
  EXPECT_EQ(code, 128 + SIGTERM);
  EXPECT_FALSE(fs::exists(csv));
  const int64_t saved = rows_saved(csv);
  EXPECT_GE(saved, 4);
  EXPECT_EQ(saved % 4, 0);
  EXPECT_THAT(read_text(folder_ / "log"),
              HasSubstr(std::to_string(saved) + " rows of " + csv + " are kept: go on with --resume"));

  const ProcessResult neither = resflow(arguments(csv));
  EXPECT_EQ(neither.exit_code, 2);
  EXPECT_THAT(neither.err, HasSubstr("--resume goes on with it, --overwrite starts anew"));

  const std::string journal = read_text(csv + ".journal"), partial = read_text(csv + ".partial");
  const auto refused = [&](std::vector<std::string> again, const std::string& words) {
    const ProcessResult result = resflow(again);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(read_text(csv + ".journal"), journal);
    EXPECT_TRUE(read_text(csv + ".partial") == partial);
  };
  refused(arguments(csv, {"--resume", "--top", "2"}), "was begun with --top 1, now it is --top 2");
  refused(arguments(csv, {"--resume", "--exif"}), "was begun with --exif not given, now it is --exif given");
  refused(arguments(csv, {"--resume", "--decode", "fast"}), "was begun with --decode exact, now it is --decode fast");
  std::vector<std::string> other = arguments(csv, {"--resume"});
  save_checkpoint(made_checkpoint(2), other[1] = folder_ / "other.resflow");
  refused(other, "was begun with model resnet18 with xxh3 ");
  other = arguments(csv, {"--resume"});
  other.insert(other.begin() + 3, data_);
  refused(other, "was begun with inputs ");
  fs::rename(data_ + "/100.jpg", folder_ / "away");
  refused(arguments(csv, {"--resume"}), "was begun with other inputs: picture ");
  fs::rename(folder_ / "away", data_ + "/100.jpg");

  const ProcessResult resumed = resflow(arguments(csv, {"--resume"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err,
              HasSubstr("scored 62 files (8 with an error), " + std::to_string(saved) + " of them before"));
  EXPECT_TRUE(read_text(csv) == read_text(whole));
  EXPECT_FALSE(fs::exists(csv + ".journal"));
  EXPECT_FALSE(fs::exists(csv + ".partial"));
}

TEST_F(ScoreResume, GoesOnWithTheExecutorsItBeganWith) {
  const std::string whole = folder_ / "whole.csv", csv = folder_ / "scores.csv";
  const std::vector<std::string> two = {"--threads", "2", "--executors", "2"};
  ASSERT_EQ(resflow(arguments(whole, two)).exit_code, 0);
  int code = 0;
  {
    RunningProgram program(arguments(csv, two), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return rows_saved(csv) >= 4; })) << read_text(folder_ / "log");
    program.send(SIGTERM);
    code = program.wait();
  }
  if (code == 0) GTEST_SKIP() << "it was done before the signal came";
  EXPECT_EQ(code, 128 + SIGTERM);
  EXPECT_EQ(rows_saved(csv) % 4, 0);
  const auto refused = [&](const std::vector<std::string>& more, const std::string& words) {
    const ProcessResult result = resflow(arguments(csv, more));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
  };
  refused({"--resume", "--threads", "2", "--executors", "1"}, "was begun with --executors 2, now it is --executors 1");
  refused({"--resume", "--threads", "1"},
          "was begun with 2 executors, which is more than 1 thread: give --threads 2 or more");
  const ProcessResult resumed = resflow(arguments(csv, {"--resume", "--threads", "2"}));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(read_text(csv) == read_text(whole));
}

// What is measured is said, goes into the journal and the report, and changes no row.
TEST_F(ScoreResume, MeasuresExecutorsWhereThereAreManyPictures) {
  std::string list;
  for (int i = 0; i < 2100; ++i) list += data_ + (i % 5 == 0 ? "/100.jpg\n" : "/101.jpg\n");
  write_text(folder_ / "list", list);
  const auto score = [&](const std::string& out, const std::string& executors) {
    return resflow({"score", model_, "--list", folder_ / "list", "--out", out, "--batch", "8", "--threads", "2",
                    "--json", out + ".json", "--executors", executors});
  };
  const ProcessResult measured = score(folder_ / "auto.csv", "auto");
  EXPECT_EQ(measured.exit_code, 0) << measured.err;
  EXPECT_THAT(measured.err, HasSubstr("img/s by the network alone, against"));
  const auto executors = nlohmann::json::parse(read_text(folder_ / "auto.csv.json")).at("executors").get<int>();
  EXPECT_THAT(measured.err,
              HasSubstr("executors  " + std::string(executors == 1 ? "1 of 2 threads" : "2 of 1 thread")));
  for (const std::string told : {"latency", "throughput"}) {
    const std::string out = folder_ / (told + ".csv");
    const ProcessResult result = score(out, told);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("network alone")));
    EXPECT_EQ(nlohmann::json::parse(read_text(out + ".json")).at("executors"), told == "latency" ? 1 : 2);
    // Six decimals hide what f32 rounds otherwise, but for a tie that would be rare.
    EXPECT_TRUE(read_text(out) == read_text(folder_ / "auto.csv"));
  }
}

TEST_F(ScoreResume, AFullDiskIsGoneOnWithToTheSameBytes) {
  const std::string whole = folder_ / "whole.csv", csv = folder_ / "scores.csv";
  ASSERT_EQ(resflow(arguments(whole)).exit_code, 0);
  // In blocks of 512 bytes: the journal fits, the rows do not.
  std::vector<std::string> limited = {"sh", "-c", "ulimit -f 6; exec \"$0\" \"$@\"", RESFLOW_PROGRAM};
  for (const std::string& word : arguments(csv)) limited.push_back(word);
  ASSERT_GT(fs::file_size(whole), 3072U);
  const ProcessResult full = run_process(limited);
  EXPECT_EQ(full.exit_code, 4) << full.err;
  EXPECT_THAT(full.err, HasSubstr("the disk is full"));
  EXPECT_THAT(full.err, HasSubstr("rows are kept: go on with --resume"));
  EXPECT_FALSE(fs::exists(csv));
  const ProcessResult resumed = resflow(arguments(csv, {"--resume"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr(" of them before"));
  EXPECT_TRUE(read_text(csv) == read_text(whole));
}

// What may make other bits is said, or refused on demand.
TEST_F(ScoreResume, AnotherMachineAndChangedPicturesAreNoticed) {
  const std::string csv = folder_ / "scores.csv", journal = csv + ".journal";
  std::vector<std::string> limited = {"sh", "-c", "ulimit -f 6; exec \"$0\" \"$@\"", RESFLOW_PROGRAM};
  for (const std::string& word : arguments(csv)) limited.push_back(word);
  ASSERT_EQ(run_process(limited).exit_code, 4);
  const std::string partial = read_text(csv + ".partial");
  nlohmann::ordered_json state = nlohmann::ordered_json::parse(read_text(journal));
  const auto resume = [&](const nlohmann::ordered_json& from, const std::vector<std::string>& more) {
    write_text(csv + ".partial", partial);
    write_text(journal, from.dump(1) + "\n");
    std::vector<std::string> words = {"--resume"};
    words.insert(words.end(), more.begin(), more.end());
    return resflow(arguments(csv, words));
  };
  ASSERT_THAT(state.at("machine").get<std::string>(), HasSubstr("threads"));
  nlohmann::ordered_json elsewhere = state, old = state;
  elsewhere["machine"] = "resflow 0.0.1, oneDNN 3.0, an abacus, sse41, 2 threads";
  old.erase("machine");
  old.erase("files_state");

  ProcessResult result = resume(elsewhere, {"--strict"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--strict: this run began on resflow 0.0.1"));
  result = resume(elsewhere, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("began on resflow 0.0.1, oneDNN 3.0, an abacus"));

  // One that has a row already.
  write_text(data_ + "/100.jpg", photo_bytes(3, 5));
  result = resume(state, {"--strict"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("were changed since"));
  EXPECT_TRUE(fs::exists(journal));
  result = resume(state, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("of the inputs were changed since"));
  EXPECT_THAT(result.err, Not(HasSubstr("began on")));

  // Journals from before these were noted.
  result = resume(old, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(AnyOf(HasSubstr("changed since"), HasSubstr("began on"))));
}

// In an array of texts all are as wide as the longest.
TEST_F(ScoreResume, AnIdThatIsTooLongForANpzIsThatRowsError) {
  const std::string list = folder_ / "list", npz = folder_ / "scores.npz", errors = folder_ / "errors.csv";
  std::string lines;
  for (int i = 0; i < 8; ++i)
    lines += data_ + "/100.jpg\t" + (i == 3 ? std::string(60'000, 'x') : "id" + std::to_string(i)) + "\n";
  write_text(list, lines);
  const ProcessResult result =
      resflow({"score", model_, "--list", list, "--list-ids", "--out", npz, "--errors", errors});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("scored 8 files (1 with an error)"));
  EXPECT_LT(fs::file_size(npz), 20'000U);
  EXPECT_THAT(read_text(errors), HasSubstr("its name has 60000 characters, which is more than the 2048"));
}

TEST_F(ScoreResume, ResumeWithoutAnythingToGoOnWithBegins) {
  const std::string csv = folder_ / "scores.csv";
  for (int i = 0; i < 2; ++i) {
    const ProcessResult result = resflow(arguments(csv, {"--resume"}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("before")));
  }
}

TEST_F(ScoreResume, AReaderThatGoesEndsItQuietly) {
  // More than a pipe holds: the writer meets a reader that has gone, however late that one came.
  std::string deep = folder_ / "deep";
  for (int i = 0; i < 9; ++i) deep += "/" + std::string(200, 'd');
  fs::create_directories(fs::path(deep).parent_path());
  fs::rename(data_, deep);
  // With the signal as it is, and ignored, as some parents leave it.
  for (const std::string trap : {"", "trap '' PIPE; "}) {
    const std::string errors = folder_ / "errors.csv";
    const ProcessResult result =
        run_process({"bash", "-c", trap + "\"$0\" \"$@\" | head -1; exit ${PIPESTATUS[0]}", RESFLOW_PROGRAM, "score",
                     model_, deep, "--batch", "4", "--errors", errors});
    EXPECT_EQ(result.exit_code, 141) << result.err;
    EXPECT_EQ(result.out, "path,class,probability,error\n");
    EXPECT_THAT(result.err, Not(HasSubstr("resflow:")));
    EXPECT_FALSE(fs::exists(errors));
    EXPECT_FALSE(fs::exists(errors + ".partial"));
  }
}

TEST_F(ScoreResume, StrictIsBadDataWhereAnyPictureIsBroken) {
  const std::string csv = folder_ / "scores.csv", errors = folder_ / "errors.csv";
  const ProcessResult strict = resflow(arguments(csv, {"--strict", "--errors", errors}));
  EXPECT_EQ(strict.exit_code, 3);
  EXPECT_THAT(strict.err, HasSubstr("8 of 62 files could not be scored: " + errors + " says why"));
  // Everything is written all the same.
  const std::string text = read_text(errors);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
  EXPECT_TRUE(text.starts_with("path,error\n" + data_ + "/105.jpg,"));
  EXPECT_TRUE(fs::exists(csv));
  EXPECT_EQ(resflow({"score", model_, data_ + "/100.jpg", "--strict"}).exit_code, 0);
  EXPECT_EQ(resflow(arguments(csv)).exit_code, 0);
}

TEST_F(ScoreResume, RefusesOptionsThatCannotBe) {
  const auto refused = [&](std::vector<std::string> more, const std::string& words) {
    std::vector<std::string> all = {"score", model_, data_};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(result.out, "");
  };
  const std::string npy = folder_ / "x.npy", csv = folder_ / "x.csv";
  refused({"--resume"}, "--resume requires --out");
  refused({"--overwrite"}, "--overwrite requires --out");
  refused({"--shard", "1/2"}, "--shard requires --out");
  refused({"--save-every", "3"}, "--save-every requires --out");
  refused({"--resume", "--overwrite", "--out", csv}, "--resume excludes --overwrite");
  refused({"--format", "npz"}, "--format npz: wanted --out FILE");
  refused({"--format", "xls"}, "wanted csv, jsonl, npy or npz");
  refused({"--out", npy, "--top", "2"}, "holds the scores of all classes");
  refused({"--out", npy, "--threshold", "0.5"}, "holds the scores of all classes");
  refused({"--threshold", "1.5"}, "--threshold is 1.5: wanted 0 to 1");
  refused({"--embeddings-dtype", "f16"}, "--embeddings-dtype requires --embeddings");
  refused({"--embeddings", npy, "--embeddings-dtype", "f64"}, "f64");
  refused({"--shard", "0/2", "--out", csv}, "shards count from 1");
  refused({"--out", csv, "--errors", csv}, "two files at once");
  refused({"--out", folder_ / "absent/x.csv"}, "there is no folder");
}

}  // namespace
}  // namespace resflow::testing
