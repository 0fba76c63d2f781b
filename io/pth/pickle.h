// Python's pickles as data: an interpreter of the opcodes of protocols 0 to 5 that runs nothing.
//
// What a pickle imports stays a name, and what it calls is recorded with its arguments, not made: such an object is
// opaque, and what the pickle puts into it afterwards is passed over. Only collections.OrderedDict and defaultdict
// become the dictionaries that they are. All values lie in one store and refer to each other by index, so that shared
// and cyclic ones cost nothing, and no depth is too deep for our own stack. Facts: Python 3.11's Lib/pickle.py and
// Lib/pickletools.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/error.h"

namespace resflow {

enum class PickleKind : uint8_t {
  kUnset,  // no value at all
  kNone,
  kBool,
  kInt,
  kBigInt,  // beyond 64 bits; its text is two's complement, little-endian, or, beyond 128 bits, unspecified
  kFloat,
  kString,
  kBytes,
  kTuple,
  kList,
  kSet,
  kDict,        // items: key, value, key, value, ...; a key may come twice, the later one is meant
  kGlobal,      // an import; its text is "module.name"
  kCall,        // an opaque object. items: the kGlobal that was called, then a kTuple of arguments
  kPersistent,  // items: the id of something that is kept beside the pickle
};

std::string_view pickle_kind_name(PickleKind kind);  // "a list", "None"

struct PickleValue {
  PickleKind kind = PickleKind::kUnset;
  union {
    int64_t integer = 0;  // kInt, kBool
    double real;          // kFloat
    uint32_t index;       // the others; Pickle's business
  };
};

// The bytes end within the pickle: more of them may help.
class PickleCutShort : public Error {
 public:
  using Error::Error;
};

class Pickle {
 public:
  // Is told every "module.name" that the pickle imports, and throws Error for what it refuses.
  using Imports = std::function<void(std::string_view name)>;

  // Reads the pickle that `bytes` start with; they must stay valid as long as this. Errors start with `where`.
  // Throws what `imports` throws, PickleCutShort, and Error{kData} for what is no pickle, calls what is no import and
  // no opaque object, sets the state of what has none, or is a bomb: beyond the limits below.
  Pickle(std::span<const uint8_t> bytes, std::string_view where, const Imports& imports);

  const PickleValue& root() const { return root_; }
  size_t bytes() const { return bytes_; }  // that the pickle takes

  // REQUIRES: kString, kBytes, kBigInt or kGlobal; else Error{kInternal}.
  std::string_view text(const PickleValue& value) const;
  // REQUIRES: a kind that has items; else Error{kInternal}.
  std::span<const PickleValue> items(const PickleValue& value) const;

  // All of kPersistent, in the order of the file, wherever they stand.
  const std::vector<PickleValue>& persistent() const { return persistent_; }

 private:
  friend class PickleInterpreter;
  struct Node {
    std::vector<PickleValue> items;
    uint32_t depth = 1;
  };

  PickleValue root_;
  size_t bytes_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::string_view> texts_;
  std::deque<std::string> decoded_;  // those texts that are not in the bytes as they are
  std::vector<PickleValue> persistent_;
};

// A ResNet-152 with Adam's state takes 4,000 of each and a depth of 5.
inline constexpr size_t kMaxPickleStack = size_t{1} << 20;
inline constexpr size_t kMaxPickleMemo = size_t{1} << 20;
inline constexpr size_t kMaxPickleNodes = size_t{1} << 19;
inline constexpr size_t kMaxPickleTexts = size_t{1} << 20;
inline constexpr size_t kMaxPickleItems = size_t{1} << 21;
inline constexpr size_t kMaxPickleMarks = 1000;
inline constexpr uint32_t kMaxPickleDepth = 1000;
inline constexpr size_t kMaxPickleName = 500;  // bytes of an import's name

}  // namespace resflow
