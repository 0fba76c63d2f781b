// A .pth file as its pickle describes it: storages, the tensors that are views of them, and where they lie in the file.
// What the two readers (zip.cpp, legacy.cpp) and read_pth_values share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/named_array.h"
#include "io/files/file.h"
#include "io/pth/pickle.h"
#include "io/pth/pth.h"

namespace resflow {

// A dtype of torch: those of storages, and those that only tensors of bytes can have.
struct TorchDType {
  std::string_view name;     // "int16", as in torch.int16
  std::string_view storage;  // "Short", as in torch.ShortStorage; empty where there is none
  uint64_t bytes = 0;        // of an element
  std::optional<DType> dtype;
};
// "torch.ShortStorage", "torch.cuda.ShortStorage", "torch.storage.UntypedStorage"; nullptr for anything else.
const TorchDType* torch_storage_type(std::string_view import);
const TorchDType* torch_dtype(std::string_view import);  // "torch.int16"; nullptr for anything else

// A run of values that tensors are views of.
struct PthStorage {
  std::string key;
  const TorchDType* type = nullptr;
  uint64_t elements = 0;

  uint64_t bytes() const { return elements * type->bytes; }

  // Filled in by the reader of the file's form, for those that tensors use.
  uint64_t offset = 0;            // in the file
  std::optional<uint32_t> crc32;  // of all its bytes, where the form has one
};

// A view of a storage: element (i, j, ...) lies i * strides[0] + j * strides[1] + ... elements after the first.
struct PthTensor {
  std::string name;
  size_t storage = 0;  // index into PthFile::storages
  DType dtype = DType::kF32;
  Dims dims, strides;   // strides in elements, never negative
  uint64_t offset = 0;  // of the first element, in bytes from the storage's start

  bool contiguous() const;
};

struct PthFile {
  std::string path;
  PthSummary summary;                // without its tensors
  std::vector<PthStorage> storages;  // all that the pickle names, used or not; no key twice
  std::vector<PthTensor> tensors;    // of the state dict; each lies within its storage
  std::vector<TensorGroup> groups;   // as list_pth() has them
};

// What of a file is asked for.
struct PthWanted {
  bool list = false;               // PthFile::groups alone; else the state dict
  std::optional<std::string> key;  // of the state dict, as read_pth_summary() has it
};

// Refuses, by name, imports of what runs code. For Pickle's constructor.
Pickle::Imports pth_imports(const std::string& path);

// Finds the state dict in the pickled object: storages, tensors and summary of the file, but not where they lie.
// Tensors that repeat values to far more than `file_bytes` are refused. Throws Error{kData} as read_pth_summary does.
void read_state_dict(const Pickle& pickle, uint64_t file_bytes, const PthWanted& wanted, PthFile& file);

inline constexpr uint64_t kMaxPthPickle = 64 << 20;  // bytes

// The two forms. Throw as read_pth_summary does.
PthFile open_pth_zip(const std::string& path, const PthWanted& wanted);
PthFile open_pth_legacy(const std::string& path, const PthWanted& wanted);

// The values of all tensors. Storages are read in the file's order; one that several tensors share is read once.
// Throws Error{kData} where a checksum differs or the file became shorter.
std::vector<NamedArray> read_pth_values(const PthFile& file);

}  // namespace resflow
