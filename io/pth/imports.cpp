// What a pickle imports: torch's storages and dtypes, which io/pth/state_dict.cpp gives a meaning, and what is refused.
// Everything else names an opaque object (io/pth/pickle.h), which is left out.
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

// Modules whose functions run programs or other code, and functions of that kind in modules of other things. Nothing of
// a pickle is ever run here; but a file that asks for one of these is no file of weights, and whoever has it should
// know.
constexpr std::array<std::string_view, 52> kRunsCode = {"os",
                                                        "posix",
                                                        "nt",
                                                        "sys",
                                                        "subprocess",
                                                        "commands",
                                                        "popen2",
                                                        "pty",
                                                        "shutil",
                                                        "socket",
                                                        "ctypes",
                                                        "_ctypes",
                                                        "importlib",
                                                        "imp",
                                                        "runpy",
                                                        "pkgutil",
                                                        "zipimport",
                                                        "code",
                                                        "codeop",
                                                        "pdb",
                                                        "bdb",
                                                        "profile",
                                                        "cProfile",
                                                        "timeit",
                                                        "trace",
                                                        "pickle",
                                                        "_pickle",
                                                        "cPickle",
                                                        "dill",
                                                        "cloudpickle",
                                                        "marshal",
                                                        "webbrowser",
                                                        "multiprocessing",
                                                        "asyncio",
                                                        "pip",
                                                        "urllib",
                                                        "requests",
                                                        "http",
                                                        "types.CodeType",
                                                        "types.FunctionType",
                                                        "io.open",
                                                        "_io.open",
                                                        "torch.load",
                                                        "torch.hub",
                                                        "torch.jit",
                                                        "torch.package",
                                                        "torch.serialization.load",
                                                        "torch.utils.cpp_extension",
                                                        "numpy.load",
                                                        "numpy.testing",
                                                        "numpy.f2py",
                                                        "numpy.distutils"};
constexpr std::array<std::string_view, 16> kRunsCodeOfBuiltins = {
    "eval",    "exec",    "execfile", "compile", "open",  "file",       "__import__", "setattr",
    "delattr", "globals", "locals",   "vars",    "input", "breakpoint", "reload",     "apply"};

// True where the name is the entry or stands within it: "os" holds "os.system" and no "ossaudio".
bool is_within(std::string_view name, std::string_view entry) {
  return name.starts_with(entry) && (name.size() == entry.size() || name[entry.size()] == '.');
}

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
    bool runs_code =
        std::any_of(kRunsCode.begin(), kRunsCode.end(), [&](std::string_view entry) { return is_within(name, entry); });
    std::string_view builtin = name;
    if (take_prefix(builtin, "builtins.") || take_prefix(builtin, "__builtin__."))
      runs_code = std::any_of(kRunsCodeOfBuiltins.begin(), kRunsCodeOfBuiltins.end(),
                              [&](std::string_view entry) { return is_within(builtin, entry); });
    if (!runs_code) return;
    throw data_error(
        "{}: its pickle imports {}, which resflow refuses: tensors need no such thing, and it may run code; where you "
        "trust the file, load it in Python and torch.save(model.state_dict(), NEW_FILE)",
        path, printable(name));
  };
}

}  // namespace resflow
