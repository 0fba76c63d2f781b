// For tests of permissions, which root does not need.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

namespace resflow::testing {

// While it exists, this process is a user who may not read everything; false where it cannot be.
class Nobody {
 public:
  Nobody() { is_ = ::geteuid() != 0 || ::seteuid(65534) == 0; }
  ~Nobody() {
    if (::getuid() != 0) return;
    EXPECT_EQ(::seteuid(0), 0);
  }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;
  explicit operator bool() const { return is_; }

 private:
  bool is_ = false;
};

}  // namespace resflow::testing
