// ONNX files: bad data, or a summary of what they say of themselves; and what a model says in texts.
#include "io/weights/onnx.h"

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/weights/model_metadata.h"
#include "io/weights/weights.h"
#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  is_onnx(input.path());
  weights_format_of_name(input.path());
  accepts([&] {
    const OnnxSummary summary = read_onnx_summary(input.path());
    if (summary.tensors.size() > bytes.size()) finding("more tensors than bytes");
    accepts([&] { from_texts(summary.metadata); });
  });
  // The same bytes as the texts themselves: a key of each kind.
  const std::string text(bytes.begin(), bytes.end());
  for (const char* key : {"architecture", "options", "classes", "preprocessing", "head", "quantization", "provenance"})
    accepts([&] {
      std::vector<std::string> foreign;
      const ModelMetadata read = from_texts({{key, text}}, &foreign);
      if (!foreign.empty()) return;
      const Texts written = to_texts(read);
      if (to_texts(from_texts(written)) != written) finding(std::string(key) + " changed");
    });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
