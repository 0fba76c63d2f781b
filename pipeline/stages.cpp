#include "pipeline/stages.h"

namespace resflow {

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::kRead:
      return "read";
    case Stage::kDecode:
      return "decode";
    case Stage::kResize:
      return "resize";
    case Stage::kNormalize:
      break;
  }
  return "normalize";
}

}  // namespace resflow
