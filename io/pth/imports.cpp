// What a pickle of tensors may import: names that io/pth/state_dict.cpp gives a meaning, and some of plain data that
// may stand beside tensors and are left out.
#include <algorithm>
#include <array>
#include <string_view>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/pth/file.h"

namespace resflow {
namespace {

constexpr std::array<TorchDType, 25> kTorchDTypes = {{
    {"float64", "Double", 8, DType::kF64},
    {"float32", "Float", 4, DType::kF32},
    {"float16", "Half", 2, DType::kF16},
    {"bfloat16", "BFloat16", 2, DType::kBF16},
    {"int64", "Long", 8, DType::kI64},
    {"int32", "Int", 4, DType::kI32},
    {"uint8", "Byte", 1, DType::kU8},
    {"int16", "Short", 2, {}},
    {"int8", "Char", 1, {}},
    {"bool", "Bool", 1, {}},
    {"complex32", "", 4, {}},
    {"complex64", "ComplexFloat", 8, {}},
    {"complex128", "ComplexDouble", 16, {}},
    {"quint8", "QUInt8", 1, {}},
    {"qint8", "QInt8", 1, {}},
    {"qint32", "QInt32", 4, {}},
    {"quint4x2", "QUInt4x2", 1, {}},
    {"quint2x4", "QUInt2x4", 1, {}},
    {"uint16", "", 2, {}},
    {"uint32", "", 4, {}},
    {"uint64", "", 8, {}},
    {"float8_e4m3fn", "", 1, {}},
    {"float8_e5m2", "", 1, {}},
    {"bytes without a dtype", "Untyped", 1, {}},
    {"bytes without a dtype", "_Untyped", 1, {}},
}};

constexpr std::array<std::string_view, 19> kAllowed = {
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._tensor._rebuild_from_type_v2",
    "torch.Tensor",
    "torch.nn.parameter.Parameter",
    "torch.Size",
    "torch.device",
    "collections.OrderedDict",
    "collections.Counter",  // schedulers' milestones
    "builtins.set",
    "__builtin__.set",
    "builtins.bytearray",
    "__builtin__.bytearray",
    "builtins.complex",
    "__builtin__.complex",
    "_codecs.encode",  // bytes before protocol 3
};

// Modules whose classes are networks or their parts.
constexpr std::array<std::string_view, 5> kModulesOfNetworks = {"torch.nn.", "torchvision.models.", "timm.",
                                                                "__main__.", "models."};

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

const TorchDType* torch_storage_type(std::string_view import) {
  static constexpr std::string_view kSuffix = "Storage";
  if (!import.ends_with(kSuffix)) return nullptr;
  import.remove_suffix(kSuffix.size());
  if (!take_prefix(import, "torch.cuda.") && !take_prefix(import, "torch.storage.") && !take_prefix(import, "torch."))
    return nullptr;
  if (import.empty()) return nullptr;
  const auto* const found = std::find_if(kTorchDTypes.begin(), kTorchDTypes.end(),
                                         [&](const TorchDType& type) { return type.storage == import; });
  return found == kTorchDTypes.end() ? nullptr : found;
}

const TorchDType* torch_dtype(std::string_view import) {
  if (!take_prefix(import, "torch.")) return nullptr;
  const auto* const found = std::find_if(kTorchDTypes.begin(), kTorchDTypes.end(),
                                         [&](const TorchDType& type) { return type.name == import; });
  return found == kTorchDTypes.end() ? nullptr : found;
}

Pickle::Imports pth_imports(const std::string& path) {
  return [path](std::string_view name) {
    if (std::find(kAllowed.begin(), kAllowed.end(), name) != kAllowed.end()) return;
    if (torch_storage_type(name) != nullptr || torch_dtype(name) != nullptr) return;
    const bool network = std::any_of(kModulesOfNetworks.begin(), kModulesOfNetworks.end(),
                                     [&](std::string_view module) { return name.starts_with(module); });
    if (network) {
      throw data_error(
          "{}: holds a pickled object of class {}, wanted a state dict: where you trust the file, load it in Python "
          "and "
          "torch.save(model.state_dict(), NEW_FILE)",
          path, printable(name));
    }
    throw data_error(
        "{}: its pickle imports {}, which resflow refuses: tensors need no such thing, and it may run code; where you "
        "trust the file, load it in Python and torch.save(model.state_dict(), NEW_FILE)",
        path, printable(name));
  };
}

}  // namespace resflow
