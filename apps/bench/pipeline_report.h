// What `bench pipeline` has found: on the terminal, as JSON (docs/bench-json.md), as a page.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/bench/bottleneck.h"
#include "apps/bench/pipeline_bench.h"

namespace resflow {

struct PipelineReport {
  std::string data = {};       // the folder; empty: drawn
  int64_t pictures_there = 0;  // in the folder
  int64_t pictures = 0;        // worked on
  int64_t broken = 0, bytes = 0;
  std::string recipe = "eval";
  PipelineBenchOptions options = {};
  PipelineResult result = {};
  Bottleneck bottleneck = {};  // with the most threads
};

// Of the rates with the most threads.
Bottleneck bottleneck_of(const PipelineReport& report);

// "512 pictures of 596 in photos, 30.7 MB", "64 drawn pictures, 5.1 MB"
std::string pictures_text(const PipelineReport& report);
// "score resnet34, batch 32, 224 x 224, eval recipe"
std::string network_text(const PipelineReport& report);
// "6 repeats of 1 s, in turns; an interval holds the median with 96.9 %"
std::string method_text(const PipelineReport& report);
// What "100 %" of the peak is, with the reason why there may be more.
std::string peak_text(const PipelineReport& report);

void print_pipeline_setup(const PipelineReport& report);
void print_pipeline(const PipelineReport& report);

// Settings alone where there is no result yet.
nlohmann::ordered_json pipeline_json(const PipelineReport& report);

// A page that opens without a network and runs no script; light and dark, on a phone too.
std::string pipeline_html(const PipelineReport& report);

}  // namespace resflow
