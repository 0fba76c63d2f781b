#include "apps/bench/pipeline_report.h"

#include <nlohmann/json.hpp>

#include "apps/host/console.h"
#include "apps/machine/process_report.h"
#include "apps/machine/versions.h"
#include "graph/model/model_zoo.h"
#include "io/core/wording.h"
#include "ops/compute.h"

namespace resflow {
namespace {

// "21,034", "66.4"
void print_parts(const PipelineReport& report) {
  const PipelineResult& result = report.result;
  print_out("\n{:10} {:>7} {:>11} {:>10} {:>10} {:>9}  {:>10}\n", "part", "threads", "img/s", "interval", "", "ms/img",
            "efficiency");
  for (const PartResult& part : result.parts) {
    const MedianInterval interval = part.interval();
    const bool images = part.part != "gemm";
    print_out("{:10} {:7} {:>11} {:>10} {:>10} {:>9}  {:>10}\n", part.part, part.threads,
              format_rate(interval.median) + (images ? "" : " GFLOPS"), format_rate(interval.low),
              format_rate(interval.high), images ? fmt::format("{:.3f}", 1e3 / interval.median) : "",
              fmt::format("{:.0f} %", 100 * result.efficiency(part)));
  }
}

void print_shares(const PipelineReport& report) {
  const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  print_out("\n{:10} {:>7}", "time in", "threads");
  for (const Stage stage : kStages) print_out(" {:>9}", stage_name(stage));
  print_out(" {:>8} {:>8} {:>8} {:>11}\n", "model", "waiting", "idle", "bytes read");
  for (const PartResult& part : report.result.parts) {
    if (!part.has_loader()) continue;
    const LoaderShares& s = part.shares;
    print_out("{:10} {:7}", part.part, part.threads);
    for (const Stage stage : kStages) print_out(" {:>9}", percent(s.stages[stage]));
    print_out(" {:>8} {:>8} {:>8} {:>11}\n", percent(s.model), percent(s.wait), percent(s.idle),
              format_bytes(s.bytes_a_second) + "/s");
  }
  print_out(
      "read, decode, resize, normalize, idle: of the threads' time; model, waiting for a batch (while helping to "
      "load): of the "
      "time\n");
}

nlohmann::ordered_json part_json(const PipelineResult& result, const PartResult& part) {
  const MedianInterval interval = part.interval();
  nlohmann::ordered_json json = {{"part", part.part}, {"threads", part.threads}, {"unit", part.unit()}};
  json["repeats"] = part.values;
  json["median"] = interval.median;
  json["interval"] = {interval.low, interval.high};
  if (part.part != "gemm") json["ms_per_image"] = 1e3 / interval.median;
  json["efficiency"] = result.efficiency(part);
  if (part.has_loader()) {
    const LoaderShares& s = part.shares;
    nlohmann::ordered_json& shares = json["shares"];
    for (const Stage stage : kStages) shares[stage_name(stage)] = s.stages[stage];
    // Resizing and normalizing were one stage of this name once: programs that read it find it still.
    shares["transform"] = s.stages[Stage::kResize] + s.stages[Stage::kNormalize];
    shares["model"] = s.model;
    shares["wait"] = s.wait;
    shares["idle"] = s.idle;
    json["bytes_read"] = s.bytes_read;
    json["bytes_per_second"] = s.bytes_a_second;
  }
  if (part.part == "model") {
    json["gflops"] = 1e-9 * result.operations_a_picture * interval.median;
    json["of_peak"] = result.of_peak(part.threads);
  }
  return json;
}

}  // namespace

Bottleneck bottleneck_of(const PipelineReport& report) {
  const PipelineResult& result = report.result;
  const int least = result.least_threads(), most = result.most_threads();
  const auto rate = [&](const char* part) { return result.median(part, most); };
  const auto speedup = [&](const char* part) { return rate(part) / result.median(part, least); };
  return find_bottleneck({.read = rate("read"),
                          .decode = rate("decode"),
                          .resize = rate("resize"),
                          .normalize = rate("normalize"),
                          .loader = rate("loader"),
                          .model = rate("model"),
                          .together = rate("together"),
                          .of_peak = result.of_peak(most),
                          .threads = most,
                          .batch = static_cast<int>(report.options.network.batch),
                          .train = report.options.network.train,
                          .least_threads = least,
                          .loader_speedup = speedup("loader"),
                          .model_speedup = speedup("model")});
}

std::string pictures_text(const PipelineReport& report) {
  const std::string size = format_bytes(static_cast<double>(report.bytes));
  if (report.data.empty())
    return fmt::format("{}, {}", plural(report.pictures, "drawn picture", "drawn pictures"), size);
  return fmt::format("{} of {} in {}, {}{}", plural(report.pictures, "picture", "pictures"),
                     format_count(report.pictures_there), report.data, size,
                     report.broken > 0 ? fmt::format(" ({} cannot be read)", report.broken) : "");
}

std::string network_text(const PipelineReport& report) {
  const BenchNetwork::Options& n = report.options.network;
  return fmt::format("{} {}, batch {}, {} x {}, {} recipe", n.train ? "train" : "score", to_text(n.description()),
                     n.batch, n.image_size, n.image_size, report.recipe);
}

std::string method_text(const PipelineReport& report) {
  const std::vector<double> some(static_cast<size_t>(report.options.repeats), 1.0);
  return fmt::format("{} of {:g} s, in turns; an interval holds the median with {:.1f} %",
                     plural(report.options.repeats, "repeat", "repeats"), report.options.seconds,
                     100 * median_interval(some).coverage);
}

std::string peak_text(const PipelineReport& report) {
  const PipelineResult& result = report.result;
  const int most = result.most_threads();
  const double rate = result.median("model", most);
  return fmt::format(
      "{:.1f} img/s are {:.0f} GFLOPS, {:.0f} % of the {:.0f} that a large product of two matrices reaches on {} (two "
      "operations a multiply-add of the convolutions as they are written down; Winograd needs fewer, so it can pass "
      "100 %)",
      rate, 1e-9 * result.operations_a_picture * rate, 100 * result.of_peak(most), result.median("gemm", most),
      plural(most, "thread", "threads"));
}

void print_pipeline_setup(const PipelineReport& report) {
  print_out("pictures   {}\nnetwork    {}\nmachine    {}, {} (oneDNN {})\nmethod     {}\n", pictures_text(report),
            network_text(report), cpu_model(), onednn_isa_name(), onednn_version(), method_text(report));
}

void print_pipeline(const PipelineReport& report) {
  print_parts(report);
  print_shares(report);
  print_out("\nmodel      {}\nbottleneck {}\n", peak_text(report), report.bottleneck.sentence);
}

nlohmann::ordered_json pipeline_json(const PipelineReport& report) {
  const BenchNetwork::Options& n = report.options.network;
  nlohmann::ordered_json json = {{"what", "pipeline"}, {"schema", 1}};
  nlohmann::ordered_json& data = json["data"];
  data["folder"] = report.data.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(report.data);
  data["synthetic"] = report.data.empty();
  data["pictures"] = report.pictures;
  data["pictures_in_folder"] = report.pictures_there;
  data["broken"] = report.broken;
  data["bytes"] = report.bytes;
  json["mode"] = n.train ? "train" : "score";
  json["model"] = to_text(n.description());
  json["batch"] = n.batch;
  json["image_size"] = n.image_size;
  json["recipe"] = report.recipe;
  json["seed"] = n.seed;
  json["threads"] = report.options.threads;
  json["seconds"] = report.options.seconds;
  json["repeats"] = report.options.repeats;
  if (!report.result.parts.empty()) {
    json["interval"] = {{"kind", "order statistics of the median"},
                        {"coverage", report.result.parts.front().interval().coverage}};
    json["operations_per_image"] = report.result.operations_a_picture;
    for (const PartResult& part : report.result.parts) json["parts"].push_back(part_json(report.result, part));
    json["bottleneck"] = {{"part", report.bottleneck.part}, {"sentence", report.bottleneck.sentence}};
  }
  json.update(process_report());
  return json;
}

}  // namespace resflow
