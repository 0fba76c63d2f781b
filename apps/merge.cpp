// resflow merge: the outputs of all shards as the one that a run without shards would have written.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <tuple>

#include "apps/commands.h"
#include "apps/score/merged_rows.h"
#include "apps/score/shard_file.h"
#include "io/core/error.h"
#include "io/core/setting.h"
#include "io/core/wording.h"
#include "io/files/outputs.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

struct MergeOptions {
  std::vector<std::string> outs;
  std::string out, embeddings, errors;
};

// The output of a shard, and what its OUT.shard says.
struct Part {
  std::string path;
  std::unique_ptr<ShardFile> shard;
};

// What its scoring had as `name` in its fingerprint.
std::string scored_with(const ShardFooter& footer, const std::string& name) {
  for (const auto& [key, value] : footer.fingerprint)
    if (key == name) return value;
  return {};
}

// The file of this role. It lies beside OUT, wherever that lies now.
std::string path_of(const Part& part, const std::string& role) {
  if (role == "out") return part.path;
  const auto& files = part.shard->footer().files;
  const auto file = files.find(role);
  if (file == files.end())
    throw usage_error("{}: {} was scored without it; resflow score --shard needs it, too", role, part.path);
  return (fs::path(part.path).parent_path() / file->second.path).lexically_normal().string();
}

void check_sizes(const Part& part) {
  for (const auto& [role, file] : part.shard->footer().files) {
    std::error_code unknown;
    if (!file.bytes || (role != "out" && !fs::exists(path_of(part, role), unknown))) continue;
    const std::string path = path_of(part, role);
    if (const int64_t bytes = InputFile(path).size(); bytes != *file.bytes)
      throw data_error("{}: has {} bytes, {} says {}: it was changed since it was scored", path, bytes,
                       shard_path(part.path), *file.bytes);
  }
}

// All files that the scorings wrote.
std::vector<std::string> inputs_of(const std::vector<Part>& parts) {
  std::vector<std::string> inputs;
  for (const Part& part : parts) {
    inputs.push_back(shard_path(part.path));
    for (const auto& [role, file] : part.shard->footer().files) inputs.push_back(path_of(part, role));
  }
  return inputs;
}

// Opens the shards. Throws Error{kData} unless they are all shards of one scoring, once each.
std::vector<Part> open_parts(const std::vector<std::string>& outs) {
  std::vector<Part> parts;
  std::map<int, std::string> seen;
  for (const std::string& path : outs) {
    Part part = {.path = path, .shard = std::make_unique<ShardFile>(shard_path(path))};
    check_sizes(part);
    const ShardFooter& footer = part.shard->footer();
    if (!parts.empty()) {
      const ShardFooter& first = parts[0].shard->footer();
      if (footer.shard.of != first.shard.of)
        throw data_error("{}: is shard {}, {} is shard {}: they are not of one scoring", path, to_string(footer.shard),
                         outs[0], to_string(first.shard));
      if (const auto difference = first_difference(first.fingerprint, footer.fingerprint))
        throw data_error("{}: was scored with {}, {} with {}", outs[0], difference->first, path, difference->second);
      if (footer.listed.pictures != first.listed.pictures)
        throw data_error("{}: its inputs held {}, those of {} {}", path,
                         plural(footer.listed.pictures, "picture", "pictures"), outs[0],
                         format_count(first.listed.pictures));
      if (footer.listed.names != first.listed.names)
        throw data_error("{}: its inputs held other pictures than those of {}", path, outs[0]);
    }
    if (const auto [twin, is_new] = seen.emplace(footer.shard.number, path); !is_new)
      throw data_error("shard {} is there twice: {} and {}", to_string(footer.shard), twin->second, path);
    parts.push_back(std::move(part));
  }
  const int of = parts[0].shard->footer().shard.of;
  std::vector<std::string> missing;
  for (int number = 1; number <= of && missing.size() < 20; ++number)
    if (!seen.contains(number)) missing.push_back(to_string(Shard{number, of}));
  if (!missing.empty())
    throw data_error("{} of {} shards are there; missing: {}{}", parts.size(), of, fmt::join(missing, ", "),
                     of - static_cast<int>(parts.size()) > static_cast<int>(missing.size()) ? " and more" : "");
  return parts;
}

std::unique_ptr<MergedRows> merged(const std::vector<Part>& parts, const std::string& role, ScoreFormat format,
                                   const std::string& out) {
  std::vector<std::string> inputs;
  inputs.reserve(parts.size());
  for (const Part& part : parts) inputs.push_back(path_of(part, role));
  return merge_rows(format, inputs, out);
}

// Takes the rows in the order of the listing. Returns how many of them have an error.
int64_t for_each_row(const std::vector<ShardFile*>& shards, int64_t pictures,
                     const std::function<void(size_t from, bool broken)>& take) {
  using Next = std::tuple<int64_t, size_t, bool>;  // index, shard, broken
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next;
  const auto advance = [&](size_t from) {
    if (const auto row = shards[from]->next()) next.emplace(row->index, from, row->broken);
  };
  for (size_t from = 0; from < shards.size(); ++from) advance(from);
  int64_t failed = 0;
  for (int64_t index = 0; index < pictures; ++index) {
    if (next.empty() || std::get<0>(next.top()) != index)
      throw data_error("picture {} of the inputs is not in one shard alone: a .shard is damaged", index + 1);
    const auto [place, from, broken] = next.top();
    next.pop();
    failed += broken ? 1 : 0;
    take(from, broken);
    advance(from);
  }
  if (!next.empty()) throw data_error("the shards have more rows than there are pictures: a .shard is damaged");
  return failed;
}

// Takes the rows shard by shard, and those of a shard in their order. Returns how many of them have an error.
int64_t for_each_row_as_scored(const std::vector<ShardFile*>& shards, int64_t pictures,
                               const std::function<void(size_t from, bool broken)>& take) {
  int64_t rows = 0, failed = 0;
  for (const ShardFile* shard : shards) rows += shard->footer().rows;
  if (rows != pictures)
    throw data_error("the shards have {} rows of {} pictures of the inputs: a .shard is damaged", rows, pictures);
  std::vector<bool> seen(static_cast<size_t>(pictures));
  for (size_t from = 0; from < shards.size(); ++from) {
    while (const auto row = shards[from]->next()) {
      const auto index = static_cast<size_t>(row->index);
      if (seen[index])
        throw data_error("picture {} of the inputs is not in one shard alone: a .shard is damaged", index + 1);
      seen[index] = true;
      failed += row->broken ? 1 : 0;
      take(from, row->broken);
    }
  }
  return failed;
}

int merge(const MergeOptions& o) {
  std::vector<OutputFile> outputs = {
      {"--out", o.out}, {.name = "--embeddings", .path = o.embeddings, .needs_file = true}, {"--errors", o.errors}};
  check_outputs(outputs, o.outs);
  const std::vector<Part> parts = open_parts(o.outs);
  const ScoreFormat format = score_format(scored_with(parts[0].shard->footer(), setting("format")), "");
  if (const ScoreFormat wanted = score_format("", o.out); wanted != format && fs::path(o.out).has_extension())
    throw usage_error("--out {}: the shards are {}", o.out, score_format_name(format));
  outputs[0].needs_file = !is_text(format);
  check_outputs(outputs, inputs_of(parts));

  std::vector<std::unique_ptr<MergedRows>> all;
  all.push_back(merged(parts, "out", format, o.out));
  if (!o.embeddings.empty()) all.push_back(merged(parts, setting("embeddings"), ScoreFormat::kNpy, o.embeddings));
  const std::unique_ptr<MergedRows> errors =
      o.errors.empty() ? nullptr : merged(parts, setting("errors"), ScoreFormat::kCsv, o.errors);

  std::vector<ShardFile*> shards;
  shards.reserve(parts.size());
  for (const Part& part : parts) shards.push_back(part.shard.get());
  const int64_t pictures = parts[0].shard->footer().listed.pictures;
  // Their fingerprints are the same, so either all of them are unordered or none is.
  const auto for_all = shards[0]->unordered() ? for_each_row_as_scored : for_each_row;
  const int64_t failed = for_all(shards, pictures, [&](size_t from, bool broken) {
    for (const auto& rows : all) rows->take(from);
    if (broken && errors) errors->take(from);
  });
  std::vector<std::function<void()>> finishes;
  finishes.reserve(all.size() + 1);
  for (const auto& rows : all) finishes.emplace_back([&rows] { rows->finish(); });
  if (errors) finishes.emplace_back([&errors] { errors->finish(); });
  write_each(finishes);
  print_error_line(fmt::format("merged {}: {}{} in {}", plural(parts.size(), "shard", "shards"),
                               plural(pictures, "row", "rows"),
                               failed > 0 ? fmt::format(" ({} with an error)", failed) : "", o.out));
  return 0;
}

}  // namespace

Action add_merge(CLI::App& command) {
  auto options = std::make_shared<MergeOptions>();
  command.add_option("OUT", options->outs, "the files that resflow score --shard I/N wrote, for each I from 1 to N")
      ->required();
  command.add_option("--out", options->out, "write all rows to this file, which appears when all are there")
      ->required();
  command.add_option("--embeddings", options->embeddings, "write the embeddings of all shards to this file");
  command.add_option("--errors", options->errors, "write the errors of all shards to this file");
  command.footer(
      "Rows come in the order of the inputs, as a run without shards writes them. If the shards were scored with\n"
      "--unordered, rows come shard by shard. OUT.shard must lie beside each OUT.\n\n"
      "Example:\n"
      "  resflow merge scores.*.csv --out scores.csv");
  return [options] { return merge(*options); };
}

}  // namespace resflow
