#include "io/files/machine_failure.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace resflow {
namespace {

constexpr std::array kMachineFailures = {
    // the disk
    EIO, EREMOTEIO, EBUSY,
    // a file system on the network, or in another process
    ESTALE, ETIMEDOUT, ENETDOWN, ENETUNREACH, ENETRESET, EHOSTDOWN, EHOSTUNREACH, ECONNREFUSED, ECONNRESET,
    ECONNABORTED, ENOTCONN, ESHUTDOWN, ENOLINK, ECOMM, ENONET, EPROTO, EKEYEXPIRED, EKEYREVOKED, ENOKEY, ENOLCK,
    // what the system or the process has run out of
    EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN,
    // a call that did not come to its end
    EINTR, ERESTART, ECANCELED};

// A call that is interrupted as often as this is as good as one that fails.
constexpr int kInterruptions = 1000;

constexpr std::array kPatientPauses = {0.1, 0.4, 1.0, 2.5};
constexpr double kBetweenQuestions = 0.1;

}  // namespace

bool is_machine_failure(int error) {
  return std::find(kMachineFailures.begin(), kMachineFailures.end(), error) != kMachineFailures.end();
}

bool Attempts::again(int error) {
  const bool at_once = error == EINTR && ++interrupted_ < kInterruptions;
  const bool again = at_once || (is_machine_failure(error) && files_.pause(++failed_));
  errno = error;
  return again;
}

bool PatientFiles::pause(int failed) {
  if (failed > std::ssize(kPatientPauses)) return false;
  double left = kPatientPauses[static_cast<size_t>(failed - 1)];
  while (left > 0) {
    if (stop_ && stop_()) return false;
    const double part = std::min(left, kBetweenQuestions);
    files_.sleep(part);
    left -= part;
  }
  return !(stop_ && stop_());
}

}  // namespace resflow
