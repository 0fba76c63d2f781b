// Pickles: the bytes as a pickle by itself, as a whole file of torch.save in either form, and as what follows the fixed
// start of a legacy file (the object, the storages' keys and values), where changes of it go deepest.
#include "io/pth/pickle.h"

#include <string_view>
#include <vector>

#include "io/pth/file.h"
#include "io/pth/pth.h"
#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

constexpr std::string_view kLegacyStart =
    "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."  // the magic number
    "\x80\x02M\xE9\x03."                                         // protocol 1001
    "\x80\x02}.";                                                // of the machine it says nothing

void read_whole(const MemoryFile& file) {
  PthSummary summary;
  const bool listed = accepts([&] { summary = read_pth_summary(file.path()); });
  Pth read;
  const bool taken = accepts([&] { read = read_pth(file.path()); });
  if (taken && !listed) finding("its values are taken and its summary is not");
  if (taken && read.tensors.size() != summary.tensors.size()) finding("the count of tensors changed");
  for (size_t i = 0; i < read.tensors.size(); ++i) {
    const NamedArray& tensor = read.tensors[i];
    const TensorEntry& entry = summary.tensors[i];
    if (entry.name != tensor.name || entry.dtype != tensor.array.dtype() || entry.dims != tensor.array.dims())
      finding(tensor.name + " is not as listed");
  }
}

void run(std::span<const uint8_t> bytes) {
  accepts([&] { Pickle(bytes, "input", [](std::string_view) {}); });
  accepts([&] {
    PthFile file;
    read_state_dict(Pickle(bytes, "input", pth_imports("input")), bytes.size(), {}, file);
  });

  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  if (is_pth(input.path())) read_whole(input);
  std::vector<uint8_t> legacy(kLegacyStart.begin(), kLegacyStart.end());
  legacy.insert(legacy.end(), bytes.begin(), bytes.end());
  input.set(legacy.data(), legacy.size());
  read_whole(input);
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
