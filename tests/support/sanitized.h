// Whether this is a build with sanitizers, which some tests are not for.
#pragma once

namespace resflow::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace resflow::testing
