#include "apps/score/retry_source.h"

#include "io/core/error.h"
#include "io/core/setting.h"
#include "io/core/text.h"

namespace resflow {

bool RetrySource::next(Picture& picture) {
  FormerRow row;
  while (inner_.next(picture)) {
    if (!former_.next(row))
      throw usage_error("{}: the inputs hold {}, which has no row: they are not those that were scored",
                        setting("retry_errors"), printable(picture.name));
    if (row.picture.name != picture.name)
      throw usage_error("{}: there is a row of {} where the inputs have {}: they are not those that were scored",
                        setting("retry_errors"), printable(row.picture.name), printable(picture.name));
    if (!row.picture.error.empty()) return true;
  }
  if (!listener_.stop() && former_.next(row))
    throw usage_error("{}: the inputs do not hold {} any more, which has a row", setting("retry_errors"),
                      printable(row.picture.name));
  return false;
}

}  // namespace resflow
