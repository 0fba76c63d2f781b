// libFuzzer: any bytes as a pickle, and as a whole file of torch.save in either form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "io/error.h"
#include "io/pickle.h"
#include "io/pth.h"
#include "tests/support/memory_file.h"

namespace {

// What is refused must be so as bad data, in one sentence.
template <class Work>
void expect_data_error(Work work) {
  try {
    work();
  } catch (const resflow::Error& error) {
    if (error.kind() != resflow::ErrorKind::kData || std::string_view(error.what()).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  expect_data_error([&] { resflow::Pickle({bytes, count}, "fuzz", [](std::string_view) {}); });

  static resflow::testing::MemoryFile file;
  file.set(bytes, count);
  expect_data_error([] {
    if (!resflow::is_pth(file.path())) return;
    const resflow::Pth read = resflow::read_pth(file.path());
    if (read.tensors.size() != read.summary.tensors.size()) std::abort();
  });
  return 0;
}
