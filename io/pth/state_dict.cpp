// What a pickled object says of tensors: which entry holds the state dict, and what view of which storage each is.
#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/pth/file.h"

namespace resflow {
namespace {

using Kind = PickleKind;
using Value = PickleValue;
using Values = std::span<const Value>;

constexpr std::array<std::string_view, 4> kPlaces = {"state_dict", "model", "model_state_dict", "net"};
constexpr std::string_view kModulePrefix = "module.";
constexpr std::string_view kAdvice = "in Python, torch.save(model.state_dict(), NEW_FILE)";

constexpr size_t kMaxDims = 64;  // torch's own limit
constexpr size_t kMaxName = 1000;
constexpr int kMaxWrappings = 4;
constexpr size_t kListedKeys = 8;
constexpr size_t kMaxGroups = 4096;  // an optimizer has one for each parameter

// Modules whose classes are networks or their parts.
constexpr std::array<std::string_view, 5> kModulesOfNetworks = {"torch.nn.", "torchvision.models.", "timm.",
                                                                "__main__.", "models."};

// What views may repeat: tied weights do, bombs too.
constexpr uint64_t kMaxRepeats = 4, kAlwaysFine = 1 << 20;

// A storage, or legacy's view of one, in bytes.
struct Part {
  size_t storage = 0;
  uint64_t offset = 0, bytes = 0;
};

class StateDictReader {
 public:
  StateDictReader(const Pickle& pickle, uint64_t file_bytes, PthFile& file)
      : pickle_(pickle), file_(file), most_bytes_(file_bytes * kMaxRepeats + kAlwaysFine) {}

  void read(const PthWanted& wanted) {
    for (const Value& value : pickle_.persistent()) read_storage(value);
    if (wanted.list || wanted.key) find_groups(pickle_.root(), {});
    if (wanted.list) {
      for (const auto& [key, dict] : groups_) file_.groups.push_back(listed_group(key, dict));
      return;
    }
    const Value dict = wanted.key ? group_named(*wanted.key) : find_state_dict();
    const Values items = pickle_.items(dict);
    for (size_t i = 0; i < items.size(); i += 2) read_entry(items[i], items[i + 1]);
    if (!wanted.key) take_prefix_off();
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw data_error("{}: {}", file_.path, fmt::format(format, std::forward<Args>(args)...));
  }

  // -- storages

  void read_storage(const Value& value) {
    const Value& id = pickle_.items(value)[0];
    const Values parts = id.kind == Kind::kTuple ? pickle_.items(id) : Values();
    constexpr size_t kModuleParts = 4;  // the class of a pickled module with its source, in the legacy form
    if (parts.size() == kModuleParts && is_text(parts[0], "module")) return;
    if (parts.size() < 5 || parts.size() > 6 || !is_text(parts[0], "storage") || parts[1].kind != Kind::kGlobal ||
        parts[2].kind != Kind::kString || parts[3].kind != Kind::kString || parts[4].kind != Kind::kInt)
      fail("the id of a storage in its pickle is none of torch's: wanted ('storage', type, key, device, size)");
    const std::string shown = printable(pickle_.text(parts[2]));
    const TorchDType* type = torch_storage_type(pickle_.text(parts[1]));
    if (type == nullptr)
      fail("storage {} is of type {}, which is none of torch's storages", shown, printable(pickle_.text(parts[1])));
    uint64_t bytes = 0;
    const int64_t elements = parts[4].integer;
    if (elements < 0 || __builtin_mul_overflow(static_cast<uint64_t>(elements), type->bytes, &bytes) ||
        bytes > kMaxBytes)
      fail("storage {} has {} elements, which cannot be", shown, elements);

    Part part{.storage = 0, .offset = 0, .bytes = bytes};
    part.storage = known_storage(std::string(pickle_.text(parts[2])), type, static_cast<uint64_t>(elements));
    if (parts.size() == 6 && parts[5].kind != Kind::kNone) read_view(parts[5], shown, *type, part);
    parts_.emplace(value.index, part);
  }

  size_t known_storage(std::string key, const TorchDType* type, uint64_t elements) {
    const auto [found, is_new] = by_key_.emplace(std::move(key), file_.storages.size());
    if (is_new) {
      PthStorage storage;
      storage.key = found->first;
      storage.type = type;
      storage.elements = elements;
      file_.storages.push_back(std::move(storage));
    }
    const PthStorage& storage = file_.storages[found->second];
    if (storage.type != type || storage.elements != elements) {
      fail("storage {} is said to have {} elements of {}, and {} of {}", printable(storage.key), storage.elements,
           storage.type->name, elements, type->name);
    }
    return found->second;
  }

  // The legacy form's storage within a storage: (key, offset, elements).
  void read_view(const Value& value, const std::string& shown, const TorchDType& type, Part& part) const {
    const Values view = value.kind == Kind::kTuple ? pickle_.items(value) : Values();
    if (view.size() != 3 || view[1].kind != Kind::kInt || view[2].kind != Kind::kInt)
      fail("a view of storage {} is none of torch's: wanted (key, offset, size)", shown);
    const int64_t offset = view[1].integer, elements = view[2].integer;
    const auto all = static_cast<int64_t>(part.bytes / type.bytes);
    if (offset < 0 || elements < 0 || offset > all || elements > all - offset)
      fail("a view of {} elements at {} leaves storage {} of {} elements", elements, offset, shown, all);
    part.offset = static_cast<uint64_t>(offset) * type.bytes;
    part.bytes = static_cast<uint64_t>(elements) * type.bytes;
  }

  // -- all dictionaries of tensors

  // Those at and below `value`, each once, however often it is named. The pickle has bounded their depth.
  void find_groups(const Value& value, const std::string& key) {
    if (groups_.size() >= kMaxGroups) return;
    const bool list = value.kind == Kind::kList || value.kind == Kind::kTuple;
    if ((value.kind != Kind::kDict && !list) || !searched_.insert(value.index).second) return;
    if (holds_tensors(value)) groups_.emplace_back(key, value);
    const Values items = pickle_.items(value);
    const auto below = [&](const std::string& name) { return key.empty() ? name : key + "." + name; };
    if (list) {
      for (size_t i = 0; i < items.size(); ++i) find_groups(items[i], below(std::to_string(i)));
    } else {
      for (size_t i = 0; i < items.size(); i += 2) find_groups(items[i + 1], below(shown_key(items[i])));
    }
  }

  Value group_named(const std::string& key) {
    const auto found =
        std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) { return group.first == key; });
    if (found == groups_.end()) fail("has no dictionary of tensors under {}", printable(key));
    file_.summary.found_under = key;
    return found->second;
  }

  // What reading it would refuse is not listed: it may be nobody's wish to read it.
  TensorGroup listed_group(const std::string& key, const Value& dict) const {
    TensorGroup group = {.key = key, .tensors = {}};
    const Values items = pickle_.items(dict);
    for (size_t i = 0; i < items.size(); i += 2) {
      if (items[i].kind != Kind::kString || !is_tensor(items[i + 1])) continue;
      const std::string name(pickle_.text(items[i]));
      if (name.empty() || name.size() > kMaxName || !is_utf8(name)) continue;
      try {
        const Parts parts = parts_of(items[i + 1], printable(name));
        group.tensors.push_back({name, *parts.type->dtype, parts.sizes});
      } catch (const Error&) {
        continue;
      }
    }
    return group;
  }

  // -- the state dict

  Value find_state_dict() {
    const Value& root = pickle_.root();
    if (is_tensor(root)) fail("holds one tensor, wanted a state dict: {}", kAdvice);
    refuse_object(root);
    if (root.kind != Kind::kDict) fail("holds {}, wanted a state dict: {}", pickle_kind_name(root.kind), kAdvice);
    for (const std::string_view place : kPlaces) {
      const Value held = entry(root, place);
      if (!holds_tensors(held)) continue;
      file_.summary.found_under = place;
      return held;
    }
    if (holds_tensors(root)) return root;
    const Values items = pickle_.items(root);
    std::vector<Value> keys;
    for (size_t i = 0; i < items.size(); i += 2)
      if (holds_tensors(items[i + 1])) keys.push_back(items[i]);
    if (!keys.empty()) {
      fail("holds dictionaries of tensors under {}, wanted one state dict, bare or under {}: {} with the one you want",
           listed(keys), fmt::join(kPlaces, ", "), kAdvice);
    }
    for (size_t i = 0; i < items.size(); i += 2) {
      if (is_network(items[i + 1])) refuse_object(items[i + 1]);
      keys.push_back(items[i]);
    }
    if (keys.empty()) fail("holds an empty dictionary, wanted a state dict: {}", kAdvice);
    fail("holds a dictionary of {} without tensors{}, wanted a state dict: {}", listed(keys), of_what(items), kAdvice);
  }

  // The class of an opaque object, or the function that makes it; empty for anything else.
  std::string_view maker(const Value& value) const {
    return value.kind == Kind::kCall ? pickle_.text(pickle_.items(value)[0]) : std::string_view();
  }

  bool is_network(const Value& value) const {
    const std::string_view name = maker(value);
    return std::any_of(kModulesOfNetworks.begin(), kModulesOfNetworks.end(),
                       [&](std::string_view module) { return name.starts_with(module); });
  }

  void refuse_object(const Value& value) const {
    if (value.kind != Kind::kCall) return;
    fail(
        "holds a pickled object of class {}, wanted a state dict: where you trust the file, load it in Python and "
        "torch.save(model.state_dict(), NEW_FILE)",
        printable(maker(value)));
  }

  // What the first opaque object in a dictionary is: it may have been meant for a tensor.
  std::string of_what(Values items) const {
    for (size_t i = 0; i < items.size(); i += 2) {
      if (items[i + 1].kind == Kind::kCall)
        return fmt::format(" that resflow reads ({} is made by {})", shown_key(items[i]),
                           printable(maker(items[i + 1])));
    }
    return {};
  }

  // The later one of two of the same key, as Python has it; nothing where there is none.
  Value entry(const Value& dict, std::string_view key) const {
    const Values items = pickle_.items(dict);
    for (size_t i = items.size(); i >= 2; i -= 2)
      if (is_text(items[i - 2], key)) return items[i - 1];
    return {};
  }

  // Looks at each dictionary once: a bomb may name one a million times.
  bool holds_tensors(const Value& value) {
    if (value.kind != Kind::kDict) return false;
    const auto [found, is_new] = holding_.emplace(value.index, false);
    const Values items = pickle_.items(value);
    for (size_t i = 1; i < items.size() && is_new && !found->second; i += 2) found->second = is_tensor(items[i]);
    return found->second;
  }

  bool is_text(const Value& value, std::string_view text) const {
    return value.kind == Kind::kString && pickle_.text(value) == text;
  }

  std::string shown_key(const Value& key) const {
    switch (key.kind) {
      case Kind::kString:
        return printable(pickle_.text(key));
      case Kind::kInt:
        return std::to_string(key.integer);
      default:
        return std::string(pickle_kind_name(key.kind));
    }
  }

  std::string listed(const std::vector<Value>& keys) const {
    std::vector<std::string> shown;
    for (size_t i = 0; i < std::min(keys.size(), kListedKeys); ++i) shown.push_back(shown_key(keys[i]));
    if (keys.size() > kListedKeys) shown.push_back(fmt::format("{} more", keys.size() - kListedKeys));
    return fmt::format("{}", fmt::join(shown, ", "));
  }

  void read_entry(const Value& key, const Value& value) {
    if (holds_tensors(value)) {
      fail("{} is a dictionary of tensors within the state dict, wanted a flat one of names and tensors: {}",
           shown_key(key), kAdvice);
    }
    if (!is_tensor(value)) return;
    if (key.kind != Kind::kString)
      fail("key {} of its state dict is {}, wanted a name", shown_key(key), pickle_kind_name(key.kind));
    const std::string name(pickle_.text(key));
    shown_ = printable(name);
    if (name.empty() || name.size() > kMaxName || !is_utf8(name))
      fail("'{}' is no name of a tensor: wanted 1 to {} bytes of UTF-8", shown_, kMaxName);
    if (!names_.insert(name).second) fail("{} stands twice in its state dict", shown_);
    file_.tensors.push_back(read_tensor(value));
    file_.tensors.back().name = name;
  }

  void take_prefix_off() {
    for (const PthTensor& tensor : file_.tensors)
      if (!tensor.name.starts_with(kModulePrefix) || tensor.name == kModulePrefix) return;
    for (PthTensor& tensor : file_.tensors) tensor.name.erase(0, kModulePrefix.size());
    file_.summary.prefix = kModulePrefix;
  }

  // -- tensors

  struct Call {
    std::string_view function;
    Values arguments;
  };

  // What makes the tensor, without what only wraps it; no function where the value is no tensor.
  Call rebuild(Value value) const {
    for (int level = 0; level < kMaxWrappings && value.kind == Kind::kCall; ++level) {
      Call call{pickle_.text(pickle_.items(value)[0]), pickle_.items(pickle_.items(value)[1])};
      // (function, class, arguments, attributes): a tensor that has attributes
      if (call.function == "torch._tensor._rebuild_from_type_v2" && call.arguments.size() >= 3 &&
          call.arguments[0].kind == Kind::kGlobal && call.arguments[2].kind == Kind::kTuple)
        call = {pickle_.text(call.arguments[0]), pickle_.items(call.arguments[2])};
      if (call.function.starts_with("torch._utils._rebuild_tensor")) return call;
      // (tensor, requires_grad, hooks)
      if (!call.function.starts_with("torch._utils._rebuild_parameter") || call.arguments.empty()) return {};
      value = call.arguments[0];
    }
    return {};
  }

  bool is_tensor(const Value& value) const { return !rebuild(value).function.empty(); }

  // A tensor as the pickle describes it. Its dtype is one that resflow reads.
  struct Parts {
    const TorchDType* type = nullptr;
    const Part* part = nullptr;
    Dims sizes, strides;
    int64_t offset = 0;
  };

  // (storage, offset, size, stride, ...); version 3: ..., requires_grad, hooks, dtype. Errors name the tensor as
  // `shown`.
  Parts parts_of(const Value& value, const std::string& shown) const {
    const Call call = rebuild(value);
    const Values arguments = call.arguments;
    if (arguments.size() < 4 || arguments[0].kind != Kind::kPersistent || arguments[1].kind != Kind::kInt)
      fail("{}: its arguments of {} are none of torch's", shown, call.function);
    Parts parts;
    const auto part = parts_.find(arguments[0].index);
    if (part == parts_.end()) fail("{}: its storage is none of torch's", shown);
    parts.part = &part->second;
    parts.type = file_.storages[parts.part->storage].type;
    if (call.function.ends_with("_v3")) {
      parts.type = arguments.size() < 7 || arguments[6].kind != Kind::kGlobal ? nullptr
                                                                              : torch_dtype(pickle_.text(arguments[6]));
      if (parts.type == nullptr) fail("{}: its arguments of {} have no dtype", shown, call.function);
    }
    if (!parts.type->dtype) {
      fail("{}: is a tensor of {}, resflow reads float64, float32, float16, bfloat16, int64, int32 and uint8", shown,
           parts.type->name);
    }
    parts.sizes = read_sizes(arguments[2], shown, "size");
    parts.strides = read_sizes(arguments[3], shown, "stride");
    parts.offset = arguments[1].integer;
    return parts;
  }

  PthTensor read_tensor(const Value& value) {
    const Parts parts = parts_of(value, shown_);
    PthTensor tensor;
    tensor.storage = parts.part->storage;
    tensor.dtype = *parts.type->dtype;
    tensor.dims = parts.sizes;
    tensor.strides = parts.strides;
    place(tensor, parts.offset, *parts.part);
    return tensor;
  }

  Dims read_sizes(const Value& value, const std::string& shown, std::string_view what) const {
    Value tuple = value;
    if (value.kind == Kind::kCall && pickle_.text(pickle_.items(value)[0]) == "torch.Size") {
      const Values arguments = pickle_.items(pickle_.items(value)[1]);
      if (arguments.size() == 1) tuple = arguments[0];
    }
    if (tuple.kind != Kind::kTuple && tuple.kind != Kind::kList)
      fail("{}: its {} is {}, wanted a tuple", shown, what, pickle_kind_name(tuple.kind));
    const Values items = pickle_.items(tuple);
    if (items.size() > kMaxDims)
      fail("{}: its {} has {} dimensions, more than {}", shown, what, items.size(), kMaxDims);
    Dims sizes;
    for (const Value& item : items) {
      if (item.kind != Kind::kInt) fail("{}: its {} holds {}, wanted ints", shown, what, pickle_kind_name(item.kind));
      if (item.integer < 0) fail("{}: its {} holds {}, wanted none below 0", shown, what, item.integer);
      sizes.push_back(item.integer);
    }
    return sizes;
  }

  // Checks that the tensor lies within its part of the storage, and that it is no bomb.
  void place(PthTensor& tensor, int64_t offset, const Part& part) {
    if (tensor.dims.size() != tensor.strides.size())
      fail("{}: has {} sizes and {} strides", shown_, tensor.dims.size(), tensor.strides.size());
    if (offset < 0) fail("{}: starts at element {} of its storage, wanted none below 0", shown_, offset);
    const uint64_t element = dtype_bytes(tensor.dtype), elements = part.bytes / element;
    uint64_t count = 1, last = static_cast<uint64_t>(offset);
    bool none = false, overflow = false;
    for (size_t i = 0; i < tensor.dims.size(); ++i) {
      const auto dim = static_cast<uint64_t>(tensor.dims[i]), stride = static_cast<uint64_t>(tensor.strides[i]);
      none |= dim == 0;
      uint64_t reach = 0;
      overflow |= __builtin_mul_overflow(count, dim, &count);
      overflow |= dim > 0 && __builtin_mul_overflow(dim - 1, stride, &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
    }
    const bool outside = none ? static_cast<uint64_t>(offset) > elements : overflow || last >= elements;
    if (outside) {
      fail("{}: {} with strides {} from element {} on leaves its storage of {} elements", shown_,
           to_string(tensor.dims), to_string(tensor.strides), offset, elements);
    }
    uint64_t bytes = 0;
    if (!none && (__builtin_mul_overflow(count, element, &bytes) || __builtin_add_overflow(bytes, bytes_, &bytes_) ||
                  bytes_ > most_bytes_)) {
      fail(
          "{}: {} repeats the values of its storage of {} elements: more than {} bytes of tensors in this file: "
          "refused",
          shown_, to_string(tensor.dims), elements, most_bytes_);
    }
    tensor.offset = part.offset + static_cast<uint64_t>(offset) * element;
  }

  static constexpr uint64_t kMaxBytes = uint64_t{1} << 62;

  const Pickle& pickle_;
  PthFile& file_;
  uint64_t most_bytes_, bytes_ = 0;
  std::unordered_map<std::string, size_t> by_key_;
  std::unordered_map<uint32_t, Part> parts_;           // by the index of the kPersistent
  std::unordered_map<uint32_t, bool> holding_;         // by the index of the kDict
  std::vector<std::pair<std::string, Value>> groups_;  // dictionaries of tensors and their keys
  std::unordered_set<uint32_t> searched_;              // for groups, by the index of the container
  std::unordered_set<std::string> names_;
  std::string shown_;  // name of the tensor that is being read
};

}  // namespace

bool PthTensor::contiguous() const {
  if (element_count(dims) == 0) return true;
  int64_t wanted = 1;
  for (size_t i = dims.size(); i > 0; --i) {
    if (dims[i - 1] != 1 && strides[i - 1] != wanted) return false;
    wanted *= dims[i - 1];
  }
  return true;
}

void read_state_dict(const Pickle& pickle, uint64_t file_bytes, const PthWanted& wanted, PthFile& file) {
  StateDictReader(pickle, file_bytes, file).read(wanted);
}

}  // namespace resflow
