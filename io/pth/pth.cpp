#include "io/pth/pth.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/image_format.h"
#include "io/pth/file.h"

namespace resflow {
namespace {

enum class Form {
  kOther,
  kZip,
  kTar,
  kPickle,  // the legacy form is one, as far as its first bytes tell
};

constexpr size_t kStartBytes = 512;
constexpr size_t kTarMagic = 257;

// An import, the only thing that a text pickle of any interest can start with: cMODULE\nNAME\n
bool starts_as_import(std::string_view start) {
  if (!start.starts_with('c')) return false;
  for (int line = 0; line < 2; ++line) {
    const size_t begin = line == 0 ? 1 : 0, end = start.find('\n');
    if (end == std::string_view::npos || end <= begin) return false;
    const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; };
    if (!std::all_of(start.begin() + static_cast<std::ptrdiff_t>(begin),
                     start.begin() + static_cast<std::ptrdiff_t>(end), is_part))
      return false;
    start.remove_prefix(end + 1);
  }
  return true;
}

Form form_of(std::string_view start) {
  if (start.starts_with("PK\3\4")) return Form::kZip;
  // The entries of PyTorch's own tar files.
  const bool tar = start.substr(std::min(kTarMagic, start.size())).starts_with("ustar");
  for (const std::string_view name : {"sys_info", "pickle", "tensors", "storages"})
    if (tar && start.starts_with(name)) return Form::kTar;
  const bool binary = start.size() > 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5;
  const bool text = start.starts_with("L119547037146038801333356L\n");  // the magic number
  return binary || text || starts_as_import(start) ? Form::kPickle : Form::kOther;
}

PthFile open_pth(const std::string& path, const PthWanted& wanted) {
  std::array<char, kStartBytes> bytes{};
  size_t size = 0;
  {
    const InputFile file(path);
    size = static_cast<size_t>(std::min<int64_t>(file.size(), kStartBytes));
    file.read(0, {reinterpret_cast<uint8_t*>(bytes.data()), size});
  }
  switch (form_of({bytes.data(), size})) {
    case Form::kZip:
      return open_pth_zip(path, wanted);
    case Form::kPickle:
      return open_pth_legacy(path, wanted);
    case Form::kTar:
      throw data_error(
          "{}: is of PyTorch's tar form, from before version 0.1.10: load it in a PyTorch of today and "
          "torch.save(model.state_dict(), NEW_FILE)",
          path);
    case Form::kOther:
      break;
  }
  if (size == 0) throw data_error("{}: is empty, wanted a file of torch.save", path);
  const ImageFormat* image = image_format(bytes_of({bytes.data(), size}));
  throw data_error("{}: is {} and none of torch.save's: wanted .pth of the zip form or the legacy form", path,
                   image == nullptr ? "another program's file" : fmt::format("a {}", image->name));
}

PthSummary summary_of(const PthFile& file) {
  PthSummary summary = file.summary;
  for (const PthTensor& tensor : file.tensors) summary.tensors.push_back({tensor.name, tensor.dtype, tensor.dims});
  return summary;
}

}  // namespace

bool is_pth(const std::string& path) {
  const InputFile file(path);
  std::array<char, kStartBytes> bytes{};
  const auto size = static_cast<size_t>(std::min<int64_t>(file.size(), kStartBytes));
  file.read(0, {reinterpret_cast<uint8_t*>(bytes.data()), size});
  return form_of({bytes.data(), size}) != Form::kOther;
}

PthListing list_pth(const std::string& path) {
  PthFile file = open_pth(path, {.list = true, .key = {}});
  return {.summary = std::move(file.summary), .groups = std::move(file.groups)};
}

PthSummary read_pth_summary(const std::string& path, const std::optional<std::string>& key) {
  return summary_of(open_pth(path, {.list = false, .key = key}));
}

Pth read_pth(const std::string& path, const std::optional<std::string>& key) {
  const PthFile file = open_pth(path, {.list = false, .key = key});
  return {summary_of(file), read_pth_values(file)};
}

}  // namespace resflow
