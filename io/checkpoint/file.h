// The bytes of a checkpoint file (docs/checkpoint.md): 64 bytes of header, the manifest, the tensors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "resflow/io/checkpoint/checkpoint.pb.h"

namespace resflow {

// What is written: the lowest version whose readers understand the manifest.
inline constexpr uint32_t kCheckpointVersion = 1;
inline constexpr uint32_t kCheckpointVersionHead = 2;  // outputs that are no logits
uint32_t checkpoint_version(const proto::Manifest& manifest);

// A checkpoint file whose header and manifest have been read and found valid: every entry has a name of its own in
// its list, a dtype and dims that we know, and stands in the file.
class CheckpointFile {
 public:
  // Throws Error{kData}.
  explicit CheckpointFile(const std::string& path);

  const proto::Manifest& manifest() const { return manifest_; }
  uint32_t version() const { return version_; }

  // Reads the values of `entry`. REQUIRES: to.size() is entry.bytes().
  // Throws Error{kData} where the checksum differs.
  void read(const proto::Tensor& entry, std::span<uint8_t> to) const;

  // Checks all tensors, with little memory. Throws as read does.
  void verify() const;

 private:
  void read_header();
  void read_manifest();
  void check_entries(const google::protobuf::RepeatedPtrField<proto::Tensor>& entries, uint64_t& end) const;

  std::string path_;
  InputFile file_;
  proto::Manifest manifest_;
  uint32_t version_ = 0;
  uint64_t manifest_bytes_ = 0, manifest_checksum_ = 0, tensors_offset_ = 0;
};

// The first bytes of every checkpoint, whatever its version.
bool starts_as_checkpoint(std::span<const uint8_t> bytes);
inline constexpr size_t kCheckpointMagicBytes = 12;

// Writes header, manifest and values. `manifest` has all its entries, with offsets; `values` are those of the
// entries, in order. Throws as AtomicFile does.
void write_checkpoint_file(const proto::Manifest& manifest, const std::vector<std::span<const uint8_t>>& values,
                           const std::string& path, int generations, FileSystem& files);

// Tensors, and the values of each, start at multiples of this.
inline constexpr uint64_t kTensorAlignment = 64;
constexpr uint64_t aligned(uint64_t offset) {
  return (offset + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

// The checksum of the format.
uint64_t checkpoint_checksum(std::span<const uint8_t> bytes);

}  // namespace resflow
