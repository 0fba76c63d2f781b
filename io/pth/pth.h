// PyTorch's own files of weights: .pth, .pt, .th, in the zip form and in the legacy form.
//
// A pickle is a program. It is read by an interpreter that runs nothing and builds nothing (io/pth/pickle.h): objects
// that are no tensors are left out, unread, and a file that asks for functions which run code is refused by name.
// Facts: pytorch/torch/serialization.py, torch/_utils.py (1.13 and 2.x).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/core/named_array.h"
#include "io/files/file.h"

namespace resflow {

struct PthSummary {
  bool legacy = false;
  std::vector<TensorEntry> tensors;
  std::string found_under;  // as in io/weights/weights.h
  std::string prefix;
};

// True where the file starts as torch.save's do (or as a zip does).
bool is_pth(const std::string& path);

// All dictionaries of tensors in the file, the outer before the inner ones, each once. Tensors that resflow cannot read
// are not listed. Throws Error{kData} as read_pth_summary does, but for what is no state dict: then there are none.
struct PthListing {
  PthSummary summary;  // without tensors
  std::vector<TensorGroup> groups;
};
PthListing list_pth(const std::string& path);

// The state dict in the file. Where `key` is given, it is that of a TensorGroup, and names are as the file has them.
// Without one it is the bare dictionary, or the one under state_dict, model, model_state_dict or net, and "module."
// before every name is taken off. Tensors come out contiguous, in the file's order, with the file's dtypes; other
// values are left out. Throws Error{kData} for what is no state dict (says what it is: a TorchScript archive, a pickled
// module), for what runs code (by name), for tensors that leave their storage, and damaged files.
PthSummary read_pth_summary(const std::string& path, const std::optional<std::string>& key = {});  // reads no storage

struct Pth {
  PthSummary summary;
  std::vector<NamedArray> tensors;
};
Pth read_pth(const std::string& path, const std::optional<std::string>& key = {});

// Writes an OrderedDict of tensors in the zip form that torch.load(weights_only=True) takes, every storage at a
// multiple of 64 bytes, atomically. Throws as AtomicFile does.
void write_pth(const std::vector<NamedArray>& tensors, const std::string& path, FileSystem& files = machine_files());

}  // namespace resflow
