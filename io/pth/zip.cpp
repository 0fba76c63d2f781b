// The zip form, since PyTorch 1.6: NAME/data.pkl, NAME/data/KEY for each storage, NAME/byteorder, NAME/version.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/formats/zip_archive.h"
#include "io/pth/file.h"
#include "io/pth/pickle_bytes.h"

namespace resflow {
namespace {

constexpr std::string_view kPickle = "data.pkl";
constexpr uint64_t kMaxNote = 64;  // bytes of byteorder and of version
constexpr int64_t kLastVersion = 10;

// Behind the first folder.
std::string_view within(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

bool is_torchscript(const ZipArchive& archive) {
  return std::any_of(archive.entries().begin(), archive.entries().end(), [](const ZipEntry& entry) {
    const std::string_view name = within(entry.name);
    return name == "constants.pkl" || name == "model.json" || name.starts_with("code/");
  });
}

const ZipEntry& find_pickle(const ZipArchive& archive, const std::string& path) {
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    if (within(entry.name) != kPickle) continue;
    if (found != nullptr)
      throw data_error("{}: has {} and {}, wanted one {}", path, printable(found->name), printable(entry.name),
                       kPickle);
    found = &entry;
  }
  if (found == nullptr) throw data_error("{}: is a zip file without {}, and none of torch.save's", path, kPickle);
  return *found;
}

// The text of a small entry; empty where there is none.
std::string note(const ZipArchive& archive, const std::string& name) {
  const ZipEntry* entry = archive.find(name);
  if (entry == nullptr) return {};
  const auto bytes = archive.read(*entry, kMaxNote);
  std::string text(bytes.begin(), bytes.end());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

void check_notes(const ZipArchive& archive, const std::string& folder, const std::string& path) {
  if (const std::string order = note(archive, folder + "byteorder"); !order.empty() && order != "little") {
    throw data_error("{}: its values are {}-endian, resflow reads little-endian: save it again on such a machine", path,
                     printable(order));
  }
  const std::string version = note(archive, folder + "version");
  const auto number = pickle_integer(version);
  if (!version.empty() && (!number || *number < 1 || *number > kLastVersion)) {
    throw data_error("{}: is of version '{}' of torch.save's zip form, resflow reads 1 to {}", path, printable(version),
                     kLastVersion);
  }
}

void find_storage(const ZipArchive& archive, const std::string& folder, const std::string& tensor, PthFile& file,
                  PthStorage& storage) {
  const std::string name = folder + "data/" + storage.key;
  const ZipEntry* entry = archive.find(name);
  if (entry == nullptr)
    throw data_error("{}: {}: its storage {} is not in the file", file.path, printable(tensor), printable(name));
  if (!entry->stored) {
    throw data_error("{}: {}: its storage {} is compressed, torch.save never does that: unzip and zip it again with -0",
                     file.path, printable(tensor), printable(name));
  }
  if (entry->bytes != storage.bytes()) {
    throw data_error("{}: {}: its storage {} has {} bytes, wanted {} elements of {}: {} bytes", file.path,
                     printable(tensor), printable(name), entry->bytes, storage.elements, storage.type->name,
                     storage.bytes());
  }
  storage.offset = entry->offset;
  if (entry->crc32 != 0) storage.crc32 = entry->crc32;
}

}  // namespace

PthFile open_pth_zip(const std::string& path, const PthWanted& wanted) {
  const ZipArchive archive(path);
  if (is_torchscript(archive)) {
    throw data_error(
        "{}: is a TorchScript archive, a program with its weights, wanted a state dict: in Python, "
        "torch.save(torch.jit.load(FILE).state_dict(), NEW_FILE)",
        path);
  }
  const ZipEntry& entry = find_pickle(archive, path);
  const std::string folder = entry.name.substr(0, entry.name.size() - kPickle.size());
  check_notes(archive, folder, path);

  const auto bytes = archive.read(entry, kMaxPthPickle);
  const Pickle pickle(bytes, path, pth_imports(path));
  PthFile file;
  file.path = path;
  read_state_dict(pickle, static_cast<uint64_t>(archive.file().size()), wanted, file);
  std::vector<bool> found(file.storages.size());
  for (const PthTensor& tensor : file.tensors) {
    if (!found[tensor.storage]) find_storage(archive, folder, tensor.name, file, file.storages[tensor.storage]);
    found[tensor.storage] = true;
  }
  return file;
}

}  // namespace resflow
