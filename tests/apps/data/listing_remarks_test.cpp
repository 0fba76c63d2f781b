#include "apps/data/listing_remarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/support/heard_sentences.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::HeardSentences;
using testing::TemporaryFolder;

TEST(ListingRemarks, FoldersThatNobodyMadeAreNamedWithWhatLeavesThemOut) {
  const TemporaryFolder folder;
  const std::string root = folder.path().string();
  for (const char* file : {".ipynb_checkpoints/1.jpg", "System Volume Information/1.jpg", "ants/1.jpg", "ants/._1.jpg",
                           "ants/@eaDir/1.jpg", "bees/1.jpg", "bees/.x/@eaDir/2.jpg", "bees/notes.txt"})
    testing::write_text(folder / file, "x");
  HeardSentences heard;
  const Dataset dataset = list_image_folder(root);
  EXPECT_EQ(dataset.classes.size(), 4U);  // torchvision's
  remark_on_listing(dataset, root, heard);
  EXPECT_EQ(heard.warnings(),
            root +
                ": takes .ipynb_checkpoints (1 picture) and System Volume Information (1 picture) for classes, and "
                "takes what is in .x (1 picture) and @eaDir (1 picture) within its classes, and takes 1 file called "
                "._*, which macOS puts beside others, as torchvision does; to leave that out: exclude "
                ".ipynb_checkpoints exclude 'System?Volume?Information' exclude .x exclude @eaDir exclude '._*'\n");
  EXPECT_EQ(heard.lines(), "data       1 file left out by its ending: .txt 1\n");

  const Selection selection = {.exclude = {".*", "System?Volume?Information", "@eaDir", "nobody"}};
  HeardSentences after;
  const Dataset rest = list_image_folder(root, selection);
  remark_on_listing(rest, root, after);
  EXPECT_EQ(after.warnings(), "");
  EXPECT_EQ(rest.classes, (std::vector<std::string>{"ants", "bees"}));
  EXPECT_EQ(rest.samples.size(), 2U);
  note_idle_patterns(selection, rest.left_out.patterns, after);
  EXPECT_EQ(after.notes(), "exclude nobody matches nothing\n");
}

}  // namespace
}  // namespace resflow
