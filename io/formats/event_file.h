// Event files, as TensorBoard reads them: scalars and pictures over steps.
//
// A file is TFRecords, each a Protobuf message Event (io/formats/event.proto):
//   u64 length, u32 masked CRC-32C of these 8 bytes, the message, u32 masked CRC-32C of the message; little-endian.
// The mask is ((crc >> 15) | (crc << 17)) + 0xA282EAD8. TensorBoard reads a file while it grows, and takes a record
// that is not whole yet for the end: a run that is killed leaves a file that can be read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/files/file.h"

namespace resflow {

class EventFile {
 public:
  // Makes FOLDER (its parent must be there) and in it a file of its own:
  // events.out.tfevents.SECONDS.HOST.PID.NUMBER, which no other run and no resumed one shares. Where `first_step` > 0
  // the run is a resumed one: TensorBoard then drops what earlier files in the folder say of that step and later ones,
  // which the run that was killed may have written and not saved.
  // Throws Error{kUsage} where the folder or file cannot be made, Error{kSystem} where it cannot be written.
  explicit EventFile(const std::string& folder, int64_t first_step = 0, FileSystem& files = machine_files());
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::string& path() const { return path_; }

  // Each call is one write to the file: nothing waits in this process. Throws Error{kSystem}, after which the object
  // must not be used. A "/" in a tag groups charts. NaN and infinities are written, and shown as such.
  void scalars(int64_t step, std::span<const std::pair<std::string, double>> values);
  // `file` is a whole PNG or JPEG file of width x height RGB pixels.
  void image(int64_t step, const std::string& tag, int width, int height, std::span<const uint8_t> file);

 private:
  void record(const std::string& message);

  std::string path_;
  FileSystem& files_;
  int file_ = -1;
};

}  // namespace resflow
