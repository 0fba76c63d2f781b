// resflow inspect: models, checkpoints, pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

TEST(InspectProgram, ShowsLayersShapesParametersAndMultiplyAdds) {
  const ProcessResult result = resflow({"inspect", "resnet18", "--batch", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* words : {"layer4.1.conv2", "512x7x7", "11,689,512 parameters", "1.814 G multiply-adds",
                            "memory to score 1 picture at once"})
    EXPECT_THAT(result.out, HasSubstr(words));
}

TEST(InspectProgram, ShowsThePlan) {
  const ProcessResult result =
      resflow({"inspect", "resnet18", "--plan", "--batch", "2", "--image-size", "64", "--mode", "train"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* words : {"implementation", " reorder", "memory to train on 2 pictures at once"})
    EXPECT_THAT(result.out, HasSubstr(words));
}

TEST(InspectProgram, ShowsACheckpointAndAPicture) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 4);
  ASSERT_EQ(resflow(train_arguments(folder / "data", folder / "run")).exit_code, 0);
  const ProcessResult last = resflow({"inspect", folder / "run/last.resflow"});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  for (const char* words :
       {"whole, resnet18 of 2 classes", "fence", "to resume from: adam, 1 epoch done", "--lr 0.001"})
    EXPECT_THAT(last.out, HasSubstr(words));
  const ProcessResult picture = resflow({"inspect", folder / "data/net/00.jpg"});
  EXPECT_EQ(picture.exit_code, 0);
  EXPECT_THAT(picture.out, HasSubstr("JPEG"));
}

TEST(InspectProgram, SaysWhatItCannotShow) {
  const TemporaryFolder folder;
  EXPECT_EQ(resflow({"inspect", "resnet19"}).exit_code, 2);
  write_text(folder / "notes", "no picture");
  EXPECT_EQ(resflow({"inspect", folder / "notes"}).exit_code, 3);
  EXPECT_EQ(resflow({"inspect", "resnet18", "--mode", "dream"}).exit_code, 2);
}

}  // namespace
}  // namespace resflow::testing
