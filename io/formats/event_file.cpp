#include "io/formats/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "io/core/crc32c.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"
#include "resflow/io/formats/event.pb.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

uint32_t masked_crc(std::span<const uint8_t> bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U;
}

template <class Unsigned>
void append_little_endian(std::vector<uint8_t>& out, Unsigned value) {
  for (size_t i = 0; i < sizeof(value); ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::string host = name.data();
  for (char& c : host)
    if (c == '/') c = '-';
  return host;
}

proto::Event event_now(int64_t step) {
  proto::Event event;
  event.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  event.set_step(step);
  return event;
}

std::string utf8(const std::string& tag) { return is_utf8(tag) ? tag : printable(tag, tag.size()); }

}  // namespace

EventFile::EventFile(const std::string& folder, int64_t first_step, FileSystem& files) : files_(files) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (error)
    throw Error(failure_kind(error.value(), ErrorKind::kUsage),
                folder + ": cannot make the folder for event files: " + error.message());
  static std::atomic<int> number = 0;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  path_ = fmt::format("{}/events.out.tfevents.{:010}.{}.{}.{}", folder, seconds, host_name(), getpid(), number++);
  file_ = files_.open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file_ < 0) throw usage_error("{}: cannot be made: {}", path_, reason_of(errno));
  try {
    proto::Event version = event_now(0);
    version.set_file_version("brain.Event:2");
    record(version.SerializeAsString());
    if (first_step > 0) {
      proto::Event start = event_now(first_step);
      start.mutable_session_log()->set_status(proto::EventSession::START);
      record(start.SerializeAsString());
    }
  } catch (...) {
    files_.close(file_);
    throw;
  }
}

EventFile::~EventFile() { files_.close(file_); }

void EventFile::record(const std::string& message) {
  std::vector<uint8_t> bytes;
  bytes.reserve(message.size() + 16);
  append_little_endian(bytes, static_cast<uint64_t>(message.size()));
  append_little_endian(bytes, masked_crc(bytes));
  const size_t begin = bytes.size();
  bytes.insert(bytes.end(), message.begin(), message.end());
  append_little_endian(bytes, masked_crc(std::span<const uint8_t>(bytes).subspan(begin)));

  if (write_all(files_, file_, bytes) < bytes.size())
    throw system_error("{}: cannot be written: {}", path_, reason_of(errno));
}

void EventFile::scalars(int64_t step, std::span<const std::pair<std::string, double>> values) {
  proto::Event event = event_now(step);
  for (const auto& [tag, number] : values) {
    proto::EventValue* value = event.mutable_summary()->add_value();
    value->set_tag(utf8(tag));
    value->set_simple_value(static_cast<float>(number));
  }
  record(event.SerializeAsString());
}

void EventFile::image(int64_t step, const std::string& tag, int width, int height, std::span<const uint8_t> file) {
  constexpr int kRgb = 3;
  proto::Event event = event_now(step);
  proto::EventValue* value = event.mutable_summary()->add_value();
  value->set_tag(utf8(tag));
  proto::EventImage* image = value->mutable_image();
  image->set_width(width);
  image->set_height(height);
  image->set_colorspace(kRgb);
  image->set_encoded_image_string(file.data(), file.size());
  record(event.SerializeAsString());
}

}  // namespace resflow
