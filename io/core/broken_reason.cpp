#include "io/core/broken_reason.h"

#include <new>
#include <system_error>

namespace resflow {
namespace {

std::string without_name(const std::string& sentence, const std::string& name) {
  return sentence.starts_with(name + ": ") ? sentence.substr(name.size() + 2) : sentence;
}

}  // namespace

std::string broken_reason(const Error& error, const std::string& name) {
  if (error.kind() != ErrorKind::kData) throw Error(error);
  return without_name(error.what(), name);
}

PictureFailure picture_failure(const std::exception_ptr& failure, const std::string& name) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kSystem) throw;
    return {.reason = without_name(error.what(), name),
            .unread = dynamic_cast<const UnreadableFile*>(&error) != nullptr};
  } catch (const std::bad_alloc&) {
    throw system_error("{}: not enough memory to decode it", name);
  } catch (const std::system_error&) {
    throw;
  } catch (const std::exception& error) {
    return {.reason = fmt::format("cannot be decoded: {}", error.what())};
  }
}

}  // namespace resflow
