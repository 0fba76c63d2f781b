#include "io/pictures/picture_file.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "io/core/error.h"
#include "io/files/machine_failure.h"
#include "io/images/image_format.h"

namespace resflow {
namespace {

constexpr int64_t kBeginning = 65'536;

// What the header says, where all of it is in these bytes.
std::optional<std::pair<int, int>> size_said(std::span<const uint8_t> beginning, const ImageFormat& format) {
  const std::unique_ptr<ImageReader> reader = format.make_reader();
  try {
    reader->open(beginning);
    return std::pair(reader->width(), reader->height());
  } catch (const Error&) {  // cut off within its header, or broken: decoding will say so
    return std::nullopt;
  }
}

// Opens and reads the file once.
std::span<const uint8_t> read_opened(const std::string& path, std::vector<uint8_t>& buffer,
                                     const PictureReading& reading) {
  const InputFile file(path, *reading.files);
  const int64_t bytes = file.size();
  if (bytes > kMaxPictureBytes) throw data_error("{}: has {} bytes, wanted at most {}", path, bytes, kMaxPictureBytes);
  const auto grow = [&](int64_t wanted) {
    if (buffer.size() < static_cast<size_t>(wanted)) buffer.resize(static_cast<size_t>(wanted));
    return std::span(buffer).first(static_cast<size_t>(wanted));
  };
  int64_t read = 0;
  if (bytes > kLookFirstBytes) {
    const std::span<uint8_t> beginning = grow(kBeginning);
    file.read(0, beginning);
    try {
      check_beginning(beginning, path, reading.max_pixels);
    } catch (const Error& error) {
      throw Error(error.kind(), path + ": " + error.marked());
    }
    read = kBeginning;
    if (bytes > kLargeBytes && reading.before_large) reading.before_large();
  }
  const std::span<uint8_t> all = grow(bytes);
  file.read(read, all.subspan(static_cast<size_t>(read)));
  return all;
}

}  // namespace

void check_beginning(std::span<const uint8_t> beginning, std::string_view name, int64_t max_pixels) {
  const ImageFormat* const format = image_format(beginning);
  if (format == nullptr || format->make_reader == nullptr) throw data_error("{}", describe_unreadable(beginning, name));
  if (const auto size = size_said(beginning, *format)) check_pixels(size->first, size->second, max_pixels);
}

std::span<const uint8_t> read_picture_file(const std::string& path, std::vector<uint8_t>& buffer,
                                           const PictureReading& reading) {
  return with_fresh_file(*reading.files, [&] { return read_opened(path, buffer, reading); });
}

}  // namespace resflow
