#include "io/core/listener.h"

namespace resflow {

Listener& silent() {
  static Listener listener;
  return listener;
}

}  // namespace resflow
