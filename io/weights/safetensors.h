// safetensors: a JSON header that lists the tensors, then their values.
// Facts: huggingface/safetensors, README.md and its format description.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/core/named_array.h"
#include "io/files/file.h"

namespace resflow {

using Metadata = std::vector<std::pair<std::string, std::string>>;  // __metadata__

struct SafetensorsSummary {
  std::vector<TensorEntry> tensors;  // in the order of the header
  Metadata metadata;
};

// True where the file starts as such files do: with a header's length and "{".
bool is_safetensors(const std::string& path);

// Throws Error{kData}: header longer than 100,000,000 bytes or than the file, no UTF-8, no JSON, a name twice, an
// unknown dtype, shape x dtype other than its bytes, tensors that overlap or leave holes, bytes missing or left over.
SafetensorsSummary read_safetensors_summary(const std::string& path);  // reads the header alone

struct Safetensors {
  SafetensorsSummary summary;
  std::vector<NamedArray> tensors;
};
Safetensors read_safetensors(const std::string& path);

// Writes the file atomically. Its header has the order given; values with wide dtypes lie before others, so that each
// tensor is aligned to its dtype. Reading gives back what was written, and a file of the format's own writer that is
// read and written again has the same bytes. Throws as AtomicFile does, and Error{kUsage} where a name or metadata is
// no UTF-8.
void write_safetensors(const std::vector<NamedArray>& tensors, const Metadata& metadata, const std::string& path,
                       FileSystem& files = machine_files());

}  // namespace resflow
