// What the program prints of names that were made to give a terminal orders.
#include "apps/host/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>

#include "io/core/utf8.h"
#include "io/weights/safetensors.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Console, LineBreaksComeFromTheFormatAlone) {
  ::testing::internal::CaptureStdout();
  print_out("{:4}|{}\n", std::string("a\nb"), 7);
  print_text("a\x1b\nb\n");
  print_line("a\nb");
  print_data("{\"a\x7F\": 1}\n");  // no terminal
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "a?b |7\na?\nb\na?b\n{\"a\x7F\": 1}\n");
  ::testing::internal::CaptureStderr();
  warn("{}: {}", "a\r\nb", 1);
  note("\x1b[2J");
  complain(
      "\xC2\x9B"
      "2J");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "resflow: warning: a??b: 1\nresflow: note: ?[2J\nresflow: ?2J\n");
  EXPECT_EQ(conclude_output(0), 0);
  EXPECT_EQ(conclude_output(3), 3);
}

TEST(ConsoleDeathTest, WantOfMemoryWhereNoExceptionMayLeaveIsASentence) {
  const auto raise = [](const auto& thrown) { std::rethrow_exception(std::make_exception_ptr(thrown)); };
  const auto throw_in_vain = [&](const auto& thrown) noexcept { raise(thrown); };
  const auto after = [&](const auto& thrown) {
    end_cleanly_without_memory(4);
    throw_in_vain(thrown);
  };
  EXPECT_EXIT(after(std::bad_alloc()), ::testing::ExitedWithCode(4), "resflow: out of memory");
  EXPECT_EXIT(after(std::runtime_error("x")), ::testing::KilledBySignal(SIGABRT), "runtime_error");
}

// Lines that a name began are told by this word at their start.
const std::string kName = "x\x1b]0;pwned\a\x1b[2J\nforged \xC2\x9B\x7F\xE2\x80\xAE\xFF";

class ForeignNames : public ::testing::Test {
 protected:
  ForeignNames() {
    draw_photos(folder_ / "data", 2, 4);
    fs::rename(folder_ / "data/net", folder_ / "data/" + kName);
    fs::rename(folder_ / "data/" + kName + "/00.jpg", folder_ / "data/" + kName + "/" + kName + ".jpg");
    write_text(folder_ / "data/" + kName + "/" + kName + "2.jpg", "broken");
    fs::create_directory(folder_ / "data/empty" + kName);
  }

  // Runs it, in a folder that is called so, too.
  ProcessResult expect_plain(const std::vector<std::string>& arguments, int exit_code) {
    SCOPED_TRACE(arguments.front());
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    for (std::string_view text : {std::string_view(result.out), std::string_view(result.err)}) {
      EXPECT_EQ(text.find("\nforged"), std::string_view::npos) << text;
      while (!text.empty()) {
        const Character c = next_character(text);
        EXPECT_TRUE(c.valid);
        EXPECT_TRUE(!c.is_control() || c.point == '\n') << c.point;
        EXPECT_NE(c.point, 0x202EU);
      }
    }
    return result;
  }

  TemporaryFolder folder_;
};

TEST_F(ForeignNames, GiveATerminalNoOrders) {
  const std::string data = folder_ / "data", odd = folder_ / kName;
  const std::string model = odd + "/best.resflow";
  const ProcessResult trained = expect_plain(train_arguments(data, odd, {"--val", data}), 0);
  EXPECT_THAT(trained.out + trained.err, HasSubstr("pwned"));
  expect_plain(train_arguments(data, odd), 2);
  EXPECT_THAT(expect_plain({"evaluate", model, data}, 0).out, HasSubstr("pwned"));
  EXPECT_THAT(expect_plain({"stats", data}, 0).out, HasSubstr("pwned"));
  expect_plain({"stats", odd}, 3);
  expect_plain({"score", model, data, "--out", folder_ / "s.csv"}, 0);
  expect_plain({"score", model, data + "/absent" + kName, "--out", folder_ / "t.csv"}, 3);
  expect_plain({"score", odd, data}, 3);
  EXPECT_THAT(expect_plain({"inspect", model}, 0).out, HasSubstr("pwned"));
  expect_plain({"inspect", model, "--diff", model}, 0);
  expect_plain({"inspect", odd + "/absent"}, 2);
  EXPECT_THAT(expect_plain({"pack", data, odd + ".pack"}, 0).out, HasSubstr("pwned"));
  expect_plain({"split", data, "--out", odd + "-split"}, 0);
  expect_plain({"preview", data, "--out", odd + ".png", "--image-size", "32", "--batch", "12"}, 0);
  expect_plain({"quantize", model, data, "--out", odd + ".resflow", "--max-drop", "100"}, 0);
  expect_plain({"merge", odd + "/a", "--out", odd}, 2);
  expect_plain({kName}, 2);
  expect_plain({"train", data, "--" + kName}, 2);
}

TEST_F(ForeignNames, OfTensorsAreShownAsTheyMayBe) {
  const std::vector<float> values = {1, 2};
  write_safetensors({{kName.substr(0, kName.size() - 1), Array::from<float>({2}, values)}}, {},
                    folder_ / "t.safetensors");
  EXPECT_THAT(expect_plain({"inspect", folder_ / "t.safetensors"}, 0).out, HasSubstr("pwned"));
  expect_plain({"score", folder_ / "t.safetensors", folder_ / "data"}, 3);
}

}  // namespace
}  // namespace resflow::testing
