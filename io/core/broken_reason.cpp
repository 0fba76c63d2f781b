#include "io/core/broken_reason.h"

namespace resflow {

std::string broken_reason(const Error& error, const std::string& name) {
  if (error.kind() != ErrorKind::kData) throw Error(error);
  const std::string reason = error.what();
  return reason.starts_with(name + ": ") ? reason.substr(name.size() + 2) : reason;
}

}  // namespace resflow
