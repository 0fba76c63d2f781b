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

// What a newer resflow wrote into the manifest and this one cannot read, as words: "field 11 of its manifest". Empty
// where there is nothing. What stands in `training` is left to TrainingState::unknown: it matters to who goes on with
// the run alone.
std::string unknown_field(const proto::Manifest& manifest);

// REQUIRES: the entry's dims and dtype are valid (read_manifest has seen to it).
TensorEntry from_entry(const proto::Tensor& entry);

}  // namespace resflow
