// A checkpoint's description and its Protobuf form. Tensors go as entries: where their values stand in the file is
// the business of io/checkpoint/file.h.
#pragma once

#include "io/checkpoint/checkpoint.h"
#include "resflow/io/checkpoint/checkpoint.pb.h"

namespace resflow {

// All but the lists of tensors.
void to_manifest(const Checkpoint& checkpoint, proto::Manifest& manifest);

// All but the tensors. Throws Error{kData} for values that cannot be.
Checkpoint from_manifest(const proto::Manifest& manifest);

// REQUIRES: the entry's dims and dtype are valid (read_manifest has seen to it).
TensorEntry from_entry(const proto::Tensor& entry);

}  // namespace resflow
