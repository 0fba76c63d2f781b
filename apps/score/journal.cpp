#include "apps/score/journal.h"

#include <nlohmann/json.hpp>

#include "apps/score/fingerprint_json.h"
#include "io/core/base64.h"
#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/json_number.h"
#include "io/core/text.h"
#include "io/files/output_place.h"
#include "io/files/path_facts.h"
#include "io/files/xxh3.h"

namespace resflow {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "resflow score journal";
constexpr int kVersion = 1;

bool lists_in_order(const std::vector<ListedPicture>& pictures, int64_t end) {
  int64_t least = 0;
  for (const ListedPicture& picture : pictures) {
    if (picture.index < least || picture.index >= end) return false;
    least = picture.index + 1;
  }
  return true;
}

ScoreJournal parse_journal(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.at("format") != kFormat) throw data_error("it is no journal");
  if (json.at("version") != kVersion)
    throw data_error("it is of version {}, this resflow's is {}", json.at("version").dump(), kVersion);
  ScoreJournal journal;
  journal.fingerprint = fingerprint_of_json(json.at("facts"));
  journal.machine = json.value("machine", "");
  journal.rows = int64_of_json(json.at("rows"));
  journal.failed = int64_of_json(json.at("failed"));
  if (json.contains("unreadable")) journal.unreadable = int64_of_json(json.at("unreadable"));
  journal.place.pictures = int64_of_json(json.at("pictures"));
  journal.place.names = hash_of_hex(json.at("names").get<std::string>());
  journal.place.last = bytes_of_json(json.at("last"));
  journal.place.files.reset();
  if (json.contains("files_state")) journal.place.files = hash_of_hex(json.at("files_state").get<std::string>());
  for (const Json& picture : json.value("missing", Json::array()))
    journal.missing.push_back({int64_of_json(picture.at(0)), hash_of_hex(picture.at(1).get<std::string>())});
  for (const Json& file : json.at("files"))
    journal.files.push_back({bytes_of_json(file.at("path")), int64_of_json(file.at("bytes"))});
  if (json.contains("executors")) journal.executors = int_of_json(json.at("executors"));
  journal.complete = json.at("complete").get<bool>();
  for (const ScoreJournal::File& file : journal.files)
    if (file.bytes < 0) throw data_error("it says {} bytes of {}", file.bytes, printable(file.path));
  if (journal.rows < 0 || journal.failed < 0 || journal.failed > journal.rows || journal.unreadable < 0 ||
      journal.unreadable > journal.failed || journal.place.pictures < journal.rows + std::ssize(journal.missing) ||
      journal.executors < 0 || !lists_in_order(journal.missing, journal.place.pictures))
    throw data_error("its counts contradict each other");
  return journal;
}

}  // namespace

std::string retried_rows(const ScoreJournal& journal) {
  for (const auto& [name, value] : journal.fingerprint)
    if (name == setting("retry_errors")) return value;
  return {};
}

std::string journal_path(const std::string& out) { return written_path(out) + kJournalEnding; }

void save_journal(const ScoreJournal& journal, const std::string& path, FileSystem& files) {
  Json json = {{"format", kFormat},
               {"version", kVersion},
               {"facts", json_of_fingerprint(journal.fingerprint)},
               {"rows", journal.rows},
               {"failed", journal.failed},
               {"pictures", journal.place.pictures},
               {"names", hex(journal.place.names)},
               {"last", json_of_bytes(journal.place.last)},
               {"missing", Json::array()},
               {"files", Json::array()},
               {"executors", journal.executors},
               {"complete", journal.complete}};
  if (!journal.machine.empty()) json["machine"] = journal.machine;
  if (journal.place.files) json["files_state"] = hex(*journal.place.files);
  for (const ListedPicture& picture : journal.missing) json["missing"].push_back({picture.index, hex(picture.name)});
  for (const ScoreJournal::File& file : journal.files)
    json["files"].push_back({{"path", json_of_bytes(file.path)}, {"bytes", file.bytes}});
  if (journal.unreadable > 0) json["unreadable"] = journal.unreadable;
  const std::string text = json.dump(1) + "\n";
  replace_file(path, bytes_of(text), files);
}

std::optional<ScoreJournal> load_journal(const std::string& path) {
  if (!is_there(path)) return std::nullopt;
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer);
  const auto damaged = [&](const std::string& why) {
    return data_error("{}: is no journal of a scoring: {}; {} starts anew", path, why, setting("overwrite"));
  };
  try {
    return parse_journal({bytes.begin(), bytes.end()});
  } catch (const Error& e) {
    throw damaged(e.marked());
  } catch (const nlohmann::json::exception& e) {
    throw damaged(e.what());
  }
}

}  // namespace resflow
