// The legacy form, until PyTorch 1.5: five pickles (magic number, protocol, what machine wrote it, the object, the keys
// of the storages), then of each storage its size as i64 and its values.
#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/pth/file.h"

namespace resflow {
namespace {

constexpr std::string_view kMagic = "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr int64_t kProtocol = 1001;
constexpr size_t kFirstBytes = size_t{256} << 10;  // enough for most
constexpr size_t kGrowth = 4;

class LegacyReader {
 public:
  LegacyReader(const std::string& path, const PthWanted& wanted) : wanted_(wanted), in_(path) { file_.path = path; }

  PthFile read() {
    next([&](const Pickle& pickle) {
      if (pickle.root().kind != PickleKind::kBigInt || pickle.text(pickle.root()) != kMagic)
        throw data_error("{}: is a pickle, but none of torch.save's: its first value is {}, wanted the magic number",
                         file_.path, pickle_kind_name(pickle.root().kind));
    });
    next([&](const Pickle& pickle) {
      if (pickle.root().kind != PickleKind::kInt || pickle.root().integer != kProtocol)
        throw data_error("{}: is of another protocol of torch.save, resflow reads {}", file_.path, kProtocol);
    });
    next([&](const Pickle& pickle) { check_machine(pickle); });
    next([&](const Pickle& pickle) { read_state_dict(pickle, static_cast<uint64_t>(in_.size()), wanted_, file_); });
    next([&](const Pickle& pickle) { find_storages(pickle); });
    file_.summary.legacy = true;
    return std::move(file_);
  }

 private:
  // Reads the next pickle. It is gone with its bytes when `use` returns.
  template <class Use>
  void next(Use use) {
    const size_t most = static_cast<size_t>(std::min<uint64_t>(static_cast<uint64_t>(in_.size()), kMaxPthPickle));
    for (size_t wanted = kFirstBytes;; wanted *= kGrowth) {
      fill(std::min(most, std::max(wanted, bytes_.size())));
      try {
        const Pickle pickle(std::span<const uint8_t>(bytes_).subspan(at_), file_.path, pth_imports(file_.path));
        use(pickle);
        at_ += pickle.bytes();
        return;
      } catch (const PickleCutShort&) {
        if (bytes_.size() == most) throw;
      }
    }
  }

  void fill(size_t wanted) {
    const size_t have = bytes_.size();
    if (wanted <= have) return;
    bytes_.resize(wanted);
    in_.read(static_cast<int64_t>(have), std::span(bytes_).subspan(have));
  }

  void check_machine(const Pickle& pickle) const {
    if (pickle.root().kind != PickleKind::kDict)
      throw data_error("{}: says nothing of the machine that wrote it: no file of torch.save", file_.path);
    const auto items = pickle.items(pickle.root());
    for (size_t i = 0; i < items.size(); i += 2) {
      const bool order = items[i].kind == PickleKind::kString && pickle.text(items[i]) == "little_endian";
      if (order && (items[i + 1].kind != PickleKind::kBool || items[i + 1].integer == 0)) {
        throw data_error("{}: its values are big-endian, resflow reads little-endian: save it again on such a machine",
                         file_.path);
      }
    }
  }

  // Walks over the storages behind the pickles.
  void find_storages(const Pickle& pickle) {
    if (pickle.root().kind != PickleKind::kList)
      throw data_error("{}: its keys of storages are {}, wanted a list", file_.path,
                       pickle_kind_name(pickle.root().kind));
    std::unordered_map<std::string_view, size_t> by_key;
    for (size_t i = 0; i < file_.storages.size(); ++i) by_key.emplace(file_.storages[i].key, i);
    std::vector<bool> found(file_.storages.size());
    uint64_t at = at_ + pickle.bytes();
    for (const PickleValue& key : pickle.items(pickle.root())) {
      const auto known = key.kind == PickleKind::kString ? by_key.find(pickle.text(key)) : by_key.end();
      if (known == by_key.end() || found[known->second]) {
        throw data_error("{}: its list of storages has {} where a key of its pickle is wanted, each once", file_.path,
                         key.kind == PickleKind::kString ? printable(pickle.text(key)) : pickle_kind_name(key.kind));
      }
      found[known->second] = true;
      at = find_storage(at, file_.storages[known->second]);
    }
    for (const PthTensor& tensor : file_.tensors) {
      if (!found[tensor.storage])
        throw data_error("{}: {}: its storage {} is not in the file", file_.path, printable(tensor.name),
                         printable(file_.storages[tensor.storage].key));
    }
  }

  // Where the next one begins.
  uint64_t find_storage(uint64_t at, PthStorage& storage) const {
    const auto size = static_cast<uint64_t>(in_.size());
    int64_t elements = 0;
    if (at > size || size - at < sizeof elements) cut_short(storage);
    in_.read(static_cast<int64_t>(at), {reinterpret_cast<uint8_t*>(&elements), sizeof elements});
    if (elements < 0 || static_cast<uint64_t>(elements) != storage.elements) {
      throw data_error("{}: storage {} has {} elements in the file and {} in its pickle", file_.path,
                       printable(storage.key), elements, storage.elements);
    }
    storage.offset = at + sizeof elements;
    if (storage.bytes() > size - storage.offset) cut_short(storage);
    return storage.offset + storage.bytes();
  }

  [[noreturn]] void cut_short(const PthStorage& storage) const {
    throw data_error("{}: truncated: its {} bytes end before or in storage {} of {} bytes", file_.path, in_.size(),
                     printable(storage.key), storage.bytes());
  }

  const PthWanted& wanted_;
  InputFile in_;
  PthFile file_;
  std::vector<uint8_t> bytes_;  // of the file's start
  size_t at_ = 0;               // where the next pickle begins
};

}  // namespace

PthFile open_pth_legacy(const std::string& path, const PthWanted& wanted) { return LegacyReader(path, wanted).read(); }

}  // namespace resflow
