#include "io/weights/onnx_metadata.h"

#include <nlohmann/json.hpp>

namespace resflow {

Texts onnx_metadata(const ModelMetadata& metadata) {
  Texts texts = to_texts(metadata);
  for (auto& [key, text] : texts) {
    if (key != "preprocessing") continue;
    auto json = nlohmann::ordered_json::parse(text);
    json["scale"] = 1.0 / 255.0;
    json["channels"] = "RGB";
    text = json.dump();
  }
  return texts;
}

}  // namespace resflow
