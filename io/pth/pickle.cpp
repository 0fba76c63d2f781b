#include "io/pth/pickle.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "io/core/text.h"
#include "io/pth/pickle_bytes.h"

namespace resflow {
namespace {

using Kind = PickleKind;
using Value = PickleValue;

constexpr int kLastProtocol = 5;

bool has_text(Kind kind) {
  return kind == Kind::kString || kind == Kind::kBytes || kind == Kind::kBigInt || kind == Kind::kGlobal;
}
bool has_items(Kind kind) {
  return kind == Kind::kTuple || kind == Kind::kList || kind == Kind::kSet || kind == Kind::kDict ||
         kind == Kind::kCall || kind == Kind::kPersistent;
}
bool can_be_key(Kind kind) { return kind != Kind::kList && kind != Kind::kSet && kind != Kind::kDict; }

Value value_of(Kind kind) {
  Value made;
  made.kind = kind;
  return made;
}
Value none() { return value_of(Kind::kNone); }
Value integer(int64_t value, Kind kind = Kind::kInt) {
  Value made = value_of(kind);
  made.integer = value;
  return made;
}
Value boolean(bool value) { return integer(value ? 1 : 0, Kind::kBool); }
Value real(double value) {
  Value made = value_of(Kind::kFloat);
  made.real = value;
  return made;
}
Value indexed(Kind kind, size_t index) {
  Value made = value_of(kind);
  made.index = static_cast<uint32_t>(index);
  return made;
}

}  // namespace

std::string_view pickle_kind_name(Kind kind) {
  switch (kind) {
    case Kind::kUnset:
      return "nothing";
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "a bool";
    case Kind::kInt:
    case Kind::kBigInt:
      return "an int";
    case Kind::kFloat:
      return "a float";
    case Kind::kString:
      return "a string";
    case Kind::kBytes:
      return "bytes";
    case Kind::kTuple:
      return "a tuple";
    case Kind::kList:
      return "a list";
    case Kind::kSet:
      return "a set";
    case Kind::kDict:
      return "a dictionary";
    case Kind::kGlobal:
      return "an imported name";
    case Kind::kCall:
      return "the result of a call";
    case Kind::kPersistent:
      return "something kept beside the pickle";
  }
  throw internal_error("pickle kind {} is none", static_cast<int>(kind));
}

std::string_view Pickle::text(const Value& value) const {
  if (!has_text(value.kind)) throw internal_error("{} has no text", pickle_kind_name(value.kind));
  return texts_.at(value.index);
}

std::span<const Value> Pickle::items(const Value& value) const {
  if (!has_items(value.kind)) throw internal_error("{} has no items", pickle_kind_name(value.kind));
  return nodes_.at(value.index).items;
}

// The pickle machine: a stack, marks on it, and a memo.
class PickleInterpreter {
 public:
  PickleInterpreter(Pickle& made, std::span<const uint8_t> bytes, std::string_view where,
                    const Pickle::Imports& imports)
      : made_(made), bytes_(bytes, where), where_(where), imports_(imports) {}

  void run() {
    for (;;) {
      begin_ = bytes_.at();
      const uint8_t opcode = bytes_.byte();
      if (opcode == '.') break;
      const bool known = shuffle(opcode) || constant(opcode) || text(opcode) || container(opcode) || memo(opcode) ||
                         import(opcode) || call(opcode);
      if (!known) fail("{:#04x} is no opcode", opcode);
    }
    if (stack_.size() != 1 || !marks_.empty()) fail("it leaves {} values, wanted 1", stack_.size());
    made_.root_ = stack_[0];
    made_.bytes_ = bytes_.at();
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw data_error("{}: broken pickle: {} (byte {})", where_, fmt::format(format, std::forward<Args>(args)...),
                     begin_);
  }
  [[noreturn]] void refuse_size(std::string_view what, size_t limit) const {
    throw data_error("{}: its pickle has more than {} {} (byte {}), as no dictionary of tensors has: refused", where_,
                     limit, what, begin_);
  }

  // Values below the last mark are out of reach.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  bool push(const Value& value) {
    if (stack_.size() >= kMaxPickleStack) refuse_size("values on its stack", kMaxPickleStack);
    stack_.push_back(value);
    return true;
  }
  Value& top() {
    if (stack_.size() <= floor()) fail("its stack is empty");
    return stack_.back();
  }
  Value pop() {
    const Value value = top();
    stack_.pop_back();
    return value;
  }
  Value pop(Kind wanted) {
    const Value value = pop();
    expect(value, wanted);
    return value;
  }
  void expect(const Value& value, Kind wanted) const {
    if (value.kind != wanted) fail("{} where {} is wanted", pickle_kind_name(value.kind), pickle_kind_name(wanted));
  }
  std::vector<Value> pop_to_mark() {
    if (marks_.empty()) fail("there is no mark on its stack");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<Value> pop_items(size_t count) {
    std::vector<Value> items(count);
    for (size_t i = count; i > 0; --i) items[i - 1] = pop();
    return items;
  }

  Value made_text(Kind kind, std::string_view text) {
    if (made_.texts_.size() >= kMaxPickleTexts) refuse_size("texts", kMaxPickleTexts);
    made_.texts_.push_back(text);
    return indexed(kind, made_.texts_.size() - 1);
  }
  Value made_text(Kind kind, std::string&& decoded) {
    made_.decoded_.push_back(std::move(decoded));
    return made_text(kind, std::string_view(made_.decoded_.back()));
  }
  Value made_node(Kind kind, std::vector<Value> items) {
    if (made_.nodes_.size() >= kMaxPickleNodes) refuse_size("lists, tuples and dictionaries", kMaxPickleNodes);
    made_.nodes_.emplace_back();
    const Value value = indexed(kind, made_.nodes_.size() - 1);
    add(value, std::move(items));
    return value;
  }
  void add(const Value& to, std::vector<Value> items) {
    item_count_ += items.size();
    if (item_count_ > kMaxPickleItems) refuse_size("values in its lists, tuples and dictionaries", kMaxPickleItems);
    Pickle::Node& node = made_.nodes_[to.index];
    for (const Value& item : items) {
      if (has_items(item.kind)) node.depth = std::max(node.depth, made_.nodes_[item.index].depth + 1);
    }
    if (node.depth > kMaxPickleDepth) refuse_size("levels", kMaxPickleDepth);
    if (node.items.empty()) {
      node.items = std::move(items);
    } else {
      node.items.insert(node.items.end(), items.begin(), items.end());
    }
  }
  void add_pairs(const Value& to, std::vector<Value> items) {
    if (items.size() % 2 != 0) fail("a key without a value");
    for (size_t i = 0; i < items.size(); i += 2)
      if (!can_be_key(items[i].kind)) fail("{} as the key of a dictionary", pickle_kind_name(items[i].kind));
    add(to, std::move(items));
  }

  bool shuffle(uint8_t opcode) {
    switch (opcode) {
      case '(':
        if (marks_.size() >= kMaxPickleMarks) refuse_size("marks within each other", kMaxPickleMarks);
        marks_.push_back(stack_.size());
        return true;
      case '0':
        if (!marks_.empty() && marks_.back() == stack_.size()) {
          marks_.pop_back();
        } else {
          pop();
        }
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        return push(Value(top()));
      case 0x80:
        if (const int protocol = bytes_.byte(); protocol > kLastProtocol)
          fail("protocol {}, resflow reads 0 to {}", protocol, kLastProtocol);
        return true;
      case 0x95:  // a frame: what it says of its length nobody needs
        bytes_.expect(bytes_.number(8));
        return true;
      default:
        return false;
    }
  }

  bool constant(uint8_t opcode) {
    switch (opcode) {
      case 'N':
        return push(none());
      case 0x88:
        return push(boolean(true));
      case 0x89:
        return push(boolean(false));
      case 'J':
        return push(integer(static_cast<int32_t>(bytes_.number(4))));
      case 'K':
        return push(integer(bytes_.byte()));
      case 'M':
        return push(integer(static_cast<int64_t>(bytes_.number(2))));
      case 'G':
        return push(real(bytes_.big_endian_real()));
      case 0x8A:
        return push(long_integer(bytes_.take(bytes_.byte())));
      case 0x8B:
        return push(long_integer(bytes_.take(bytes_.number(4))));
      case 'I':
        return push(int_line(bytes_.line()));
      case 'L':
        return push(long_line(bytes_.line()));
      case 'F':
        if (const auto value = pickle_real(bytes_.line())) return push(real(*value));
        fail("no number");
      default:
        return false;
    }
  }
  Value long_integer(std::string_view bytes) {
    const auto value = pickle_long(bytes);
    return value ? integer(*value) : made_text(Kind::kBigInt, bytes);
  }
  Value int_line(std::string_view line) {
    if (line == "00") return boolean(false);
    if (line == "01") return boolean(true);
    return long_line(line);
  }
  Value long_line(std::string_view line) {
    if (line.ends_with('L')) line.remove_suffix(1);
    if (const auto value = pickle_integer(line)) return integer(*value);
    if (!is_pickle_integer(line)) fail("no number");
    if (auto bytes = pickle_long_bytes(line)) return made_text(Kind::kBigInt, *std::move(bytes));
    return made_text(Kind::kBigInt, line);
  }

  bool text(uint8_t opcode) {
    switch (opcode) {
      case 'S':
        if (auto decoded = pickle_quoted(bytes_.line())) return push(made_text(Kind::kString, *std::move(decoded)));
        fail("no quoted string");
      case 'V':
        if (auto decoded = pickle_unicode(bytes_.line())) return push(made_text(Kind::kString, *std::move(decoded)));
        fail("no escaped string");
      case 'U':
      case 0x8C:
        return push(made_text(Kind::kString, bytes_.take(bytes_.byte())));
      case 'T':
      case 'X':
        return push(made_text(Kind::kString, bytes_.take(bytes_.number(4))));
      case 0x8D:
        return push(made_text(Kind::kString, bytes_.take(bytes_.number(8))));
      case 'C':
        return push(made_text(Kind::kBytes, bytes_.take(bytes_.byte())));
      case 'B':
        return push(made_text(Kind::kBytes, bytes_.take(bytes_.number(4))));
      case 0x8E:
      case 0x96:
        return push(made_text(Kind::kBytes, bytes_.take(bytes_.number(8))));
      default:
        return false;
    }
  }

  bool container(uint8_t opcode) {
    switch (opcode) {
      case ')':
        return push(made_node(Kind::kTuple, {}));
      case ']':
        return push(made_node(Kind::kList, {}));
      case '}':
        return push(made_node(Kind::kDict, {}));
      case 0x8F:
        return push(made_node(Kind::kSet, {}));
      case 't':
        return push(made_node(Kind::kTuple, pop_to_mark()));
      case 'l':
        return push(made_node(Kind::kList, pop_to_mark()));
      case 0x91:
        return push(made_node(Kind::kSet, pop_to_mark()));
      case 0x85:
      case 0x86:
      case 0x87:
        return push(made_node(Kind::kTuple, pop_items(static_cast<size_t>(opcode - 0x84))));
      case 'd': {
        auto items = pop_to_mark();
        const Value made = made_node(Kind::kDict, {});
        add_pairs(made, std::move(items));
        return push(made);
      }
      case 'a':
        return extend(Kind::kList, pop_items(1));
      case 'e':
        return extend(Kind::kList, pop_to_mark());
      case 0x90:
        return extend(Kind::kSet, pop_to_mark());
      case 's':
        return extend(Kind::kDict, pop_items(2));
      case 'u':
        return extend(Kind::kDict, pop_to_mark());
      default:
        return false;
    }
  }
  bool extend(Kind kind, std::vector<Value> items) {
    if (top().kind == Kind::kCall) return true;  // an opaque object's own business
    expect(top(), kind);
    if (kind == Kind::kDict) {
      add_pairs(top(), std::move(items));
    } else {
      add(top(), std::move(items));
    }
    return true;
  }

  bool memo(uint8_t opcode) {
    switch (opcode) {
      case 'p':
        return put(memo_line());
      case 'q':
        return put(bytes_.byte());
      case 'r':
        return put(bytes_.number(4));
      case 0x94:
        return put(memo_.size());
      case 'g':
        return get(memo_line());
      case 'h':
        return get(bytes_.byte());
      case 'j':
        return get(bytes_.number(4));
      default:
        return false;
    }
  }
  uint64_t memo_line() {
    const auto index = pickle_integer(bytes_.line());
    if (!index || *index < 0) fail("no index of the memo");
    return static_cast<uint64_t>(*index);
  }
  bool put(uint64_t index) {
    if (index >= kMaxPickleMemo) refuse_size("values in its memo", kMaxPickleMemo);
    if (index >= memo_.size()) memo_.resize(static_cast<size_t>(index) + 1);
    memo_[static_cast<size_t>(index)] = top();
    return true;
  }
  bool get(uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<size_t>(index)].kind == Kind::kUnset)
      fail("its memo has nothing at {}", index);
    return push(memo_[static_cast<size_t>(index)]);
  }

  bool import(uint8_t opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = bytes_.line();
        return push(imported(module, bytes_.line()));
      }
      case 0x93: {
        const Value name = pop(Kind::kString), module = pop(Kind::kString);
        return push(imported(made_.text(module), made_.text(name)));
      }
      case 'i': {
        const std::string_view module = bytes_.line();
        const Value callee = imported(module, bytes_.line());
        return push(called(callee, made_node(Kind::kTuple, pop_to_mark())));
      }
      case 0x82:
      case 0x83:
      case 0x84:
        throw data_error("{}: its pickle imports by a code of copyreg's register, which resflow refuses", where_);
      default:
        return false;
    }
  }
  Value imported(std::string_view module, std::string_view name) {
    if (module.size() + name.size() >= kMaxPickleName)
      fail("a name to import of {} bytes, longer than {}", module.size() + name.size(), kMaxPickleName);
    std::string full = fmt::format("{}.{}", module, name);
    imports_(full);
    return made_text(Kind::kGlobal, std::move(full));
  }

  bool call(uint8_t opcode) {
    switch (opcode) {
      case 'R':
      case 0x81: {
        const Value arguments = pop(Kind::kTuple), callee = pop();
        return push(called(callee, arguments));
      }
      case 0x92: {
        const Value named = pop(Kind::kDict), arguments = pop(Kind::kTuple);
        Value callee = pop();
        if (!made_.items(named).empty())
          callee = made_text(Kind::kGlobal, fmt::format("{} with arguments by name", called_name(callee)));
        return push(called(callee, arguments));
      }
      case 'o': {
        auto items = pop_to_mark();
        if (items.empty()) fail("a call of nothing");
        const Value callee = items[0];
        items.erase(items.begin());
        return push(called(callee, made_node(Kind::kTuple, std::move(items))));
      }
      case 'b': {
        const Value state = pop();
        if (top().kind == Kind::kCall) return true;
        if (top().kind != Kind::kDict) fail("it sets the state of {}", pickle_kind_name(top().kind));
        // Attributes of an OrderedDict (torch's _metadata) are of no use here.
        if (state.kind != Kind::kDict) fail("it sets the state of a dictionary to {}", pickle_kind_name(state.kind));
        return true;
      }
      case 'P':
        return push(persistent(made_text(Kind::kString, bytes_.line())));
      case 'Q':
        return push(persistent(pop()));
      case 0x97:
      case 0x98:
        fail("it keeps bytes outside of itself");
      default:
        return false;
    }
  }
  // What is called: something imported, or what another call has given.
  std::string called_name(const Value& callee) const {
    if (callee.kind == Kind::kGlobal) return std::string(made_.text(callee));
    if (callee.kind == Kind::kPersistent) return kept_name(callee);
    if (callee.kind != Kind::kCall) fail("it calls {}, wanted something imported", pickle_kind_name(callee.kind));
    return fmt::format("the result of {}", made_.text(made_.items(callee)[0]));
  }
  // The legacy form keeps the classes of pickled modules beside the pickle, with their sources: ('module', class, ...).
  std::string kept_name(const Value& kept) const {
    const Value& id = made_.items(kept)[0];
    if (id.kind == Kind::kTuple) {
      for (const Value& part : made_.items(id))
        if (part.kind == Kind::kGlobal) return std::string(made_.text(part));
    }
    fail("it calls {}, wanted something imported", pickle_kind_name(kept.kind));
  }
  Value called(const Value& callee, const Value& arguments) {
    const std::string name = called_name(callee);
    if (name == "collections.OrderedDict") return ordered_dict(made_.items(arguments));
    if (name == "collections.defaultdict")
      return made_node(Kind::kDict, {});  // what it makes of a missing key is no value
    if (name == "builtins.getattr" || name == "__builtin__.getattr") return member(name, made_.items(arguments));
    if (callee.kind == Kind::kGlobal) return made_node(Kind::kCall, {callee, arguments});
    return made_node(Kind::kCall, {made_text(Kind::kGlobal, std::string(name)), arguments});
  }
  // A class within a class is pickled as getattr(the outer one, its name).
  Value member(const std::string& getattr, std::span<const Value> arguments) {
    if (arguments.size() != 2 || arguments[0].kind != Kind::kGlobal || arguments[1].kind != Kind::kString)
      throw data_error("{}: its pickle calls {} on what is no class, which resflow refuses", where_, getattr);
    return imported(made_.text(arguments[0]), made_.text(arguments[1]));
  }
  Value ordered_dict(std::span<const Value> arguments) {
    const Value made = made_node(Kind::kDict, {});
    if (arguments.empty()) return made;
    const Kind kind = arguments[0].kind;
    if (arguments.size() > 1 || (kind != Kind::kDict && kind != Kind::kList && kind != Kind::kTuple))
      fail("an OrderedDict of {} values, the first {}", arguments.size(), pickle_kind_name(kind));
    const auto given = made_.items(arguments[0]);
    std::vector<Value> items;
    if (kind == Kind::kDict) {
      items.assign(given.begin(), given.end());
    } else {  // Python 2's form: a list of pairs
      for (const Value& pair : given) {
        if ((pair.kind != Kind::kTuple && pair.kind != Kind::kList) || made_.items(pair).size() != 2)
          fail("an OrderedDict of {}, wanted pairs", pickle_kind_name(pair.kind));
        items.insert(items.end(), made_.items(pair).begin(), made_.items(pair).end());
      }
    }
    add_pairs(made, std::move(items));
    return made;
  }
  Value persistent(const Value& id) {
    made_.persistent_.push_back(made_node(Kind::kPersistent, {id}));
    return made_.persistent_.back();
  }

  Pickle& made_;
  PickleBytes bytes_;
  std::string_view where_;
  const Pickle::Imports& imports_;
  size_t begin_ = 0;  // of the opcode that runs
  std::vector<Value> stack_, memo_;
  std::vector<size_t> marks_;
  size_t item_count_ = 0;
};

Pickle::Pickle(std::span<const uint8_t> bytes, std::string_view where, const Imports& imports) {
  PickleInterpreter(*this, bytes, where, imports).run();
}

}  // namespace resflow
