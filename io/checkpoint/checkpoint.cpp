#include "io/checkpoint/checkpoint.h"

#include <array>
#include <filesystem>
#include <span>
#include <unordered_set>
#include <utility>

#include "io/checkpoint/file.h"
#include "io/checkpoint/manifest.h"
#include "io/core/error.h"

namespace resflow {
namespace {

using Entries = google::protobuf::RepeatedPtrField<proto::Tensor>;

// Adds the arrays to `entries`, one behind the other from `end` on, which moves.
void add_entries(const std::vector<NamedArray>& arrays, Entries& entries, uint64_t& end,
                 std::vector<std::span<const uint8_t>>& values) {
  std::unordered_set<std::string> names;
  for (const auto& [name, array] : arrays) {
    if (!names.insert(name).second) throw internal_error("{} stands twice among the tensors to save", name);
    proto::Tensor& entry = *entries.Add();
    entry.set_name(name);
    entry.set_dtype(std::string(dtype_name(array.dtype())));
    entry.mutable_dims()->Add(array.dims().begin(), array.dims().end());
    entry.set_offset(aligned(end));
    entry.set_bytes(array.bytes());
    entry.set_xxh3(checkpoint_checksum(array.raw_bytes()));
    end = entry.offset() + entry.bytes();
    values.push_back(array.raw_bytes());
  }
}

std::vector<NamedArray> read_arrays(const CheckpointFile& file, const Entries& entries) {
  std::vector<NamedArray> arrays;
  arrays.reserve(static_cast<size_t>(entries.size()));
  for (const auto& entry : entries) {
    TensorEntry listed = from_entry(entry);
    Array array(listed.dtype, std::move(listed.dims));
    file.read(entry, {reinterpret_cast<uint8_t*>(array.raw()), array.bytes()});
    arrays.push_back({std::move(listed.name), std::move(array)});
  }
  return arrays;
}

std::vector<TensorEntry> list_entries(const Entries& entries) {
  std::vector<TensorEntry> list;
  list.reserve(static_cast<size_t>(entries.size()));
  for (const auto& entry : entries) list.push_back(from_entry(entry));
  return list;
}

Checkpoint describe(const CheckpointFile& file, const std::string& path) {
  if (const std::string field = unknown_field(file.manifest()); !field.empty())
    throw data_error("{}: this resflow does not know {}: take the resflow that wrote the file, or a newer one", path,
                     field);
  try {
    return from_manifest(file.manifest());
  } catch (const Error& error) {
    throw Error(error.kind(), path + ": damaged checkpoint: " + error.marked());
  }
}

// The newest generation beside `path` that is whole, as a clause to end an error with; empty where there is none.
std::string name_whole_generation(const std::string& path) {
  std::error_code ignored;
  for (int n = 1;; ++n) {
    const std::string generation = path + "." + std::to_string(n);
    if (!std::filesystem::exists(generation, ignored)) return "";
    try {
      const CheckpointFile file(generation);
      describe(file, generation);
      file.verify();
      return fmt::format("; {} is whole (after {} epochs and {} steps): use that one", generation,
                         file.manifest().training().epoch(), file.manifest().training().step());
    } catch (const Error&) {  // then an older one may be whole
    }
  }
}

// Runs `read`; its errors about the file's content name the generation to use instead.
template <class Read>
auto with_advice(const std::string& path, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    throw Error(error.kind(), error.marked() + name_whole_generation(path));
  }
}

}  // namespace

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path, int generations, FileSystem& files) {
  proto::Manifest manifest;
  to_manifest(checkpoint, manifest);
  uint64_t end = 0;
  std::vector<std::span<const uint8_t>> values;
  add_entries(checkpoint.parameters, *manifest.mutable_parameters(), end, values);
  add_entries(checkpoint.optimizer, *manifest.mutable_optimizer(), end, values);
  write_checkpoint_file(manifest, values, path, generations, files);
}

Checkpoint load_checkpoint(const std::string& path) {
  return with_advice(path, [&] {
    const CheckpointFile file(path);
    Checkpoint checkpoint = describe(file, path);
    checkpoint.parameters = read_arrays(file, file.manifest().parameters());
    checkpoint.optimizer = read_arrays(file, file.manifest().optimizer());
    return checkpoint;
  });
}

CheckpointSummary read_checkpoint_summary(const std::string& path) {
  return with_advice(path, [&] {
    const CheckpointFile file(path);
    return CheckpointSummary{.checkpoint = describe(file, path),
                             .parameters = list_entries(file.manifest().parameters()),
                             .optimizer = list_entries(file.manifest().optimizer()),
                             .format_version = static_cast<int>(file.version())};
  });
}

bool is_checkpoint(const std::string& path) {
  try {
    const InputFile file(path);
    std::array<uint8_t, kCheckpointMagicBytes> start{};
    if (file.size() < static_cast<int64_t>(start.size())) return false;
    file.read(0, start);
    return starts_as_checkpoint(start);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace resflow
