#include "apps/machine/process_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/machine/versions.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

TEST(ProcessReport, NamesTheMachineAndWhatIsLinked) {
  const nlohmann::ordered_json report = process_report();
  EXPECT_EQ(report.at("cpu"), cpu_model());
  EXPECT_EQ(report.at("versions").at("resflow"), resflow_version());
  for (const auto& [library, version] : library_versions()) EXPECT_EQ(report.at("versions").at(library), version);
  EXPECT_GT(report.at("peak_rss_bytes").get<int64_t>(), 1 << 20);
}

TEST(ProcessReport, IsWrittenAsUtf8WhateverItsTexts) {
  const TemporaryFolder folder;
  write_json(folder / "a.json", {{"path", "b\xEA.jpg"}});
  EXPECT_EQ(nlohmann::json::parse(read_text(folder / "a.json")).at("path"), "b\xEF\xBF\xBD.jpg");
}

}  // namespace
}  // namespace resflow::testing
