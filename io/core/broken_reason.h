// Why a file is broken, as it stands beside the file's name.
#pragma once

#include <exception>
#include <string>

#include "io/core/error.h"

namespace resflow {

// What the error says, without "NAME: " before it. One that is not the file's fault (any but Error{kData}) is thrown
// on.
std::string broken_reason(const Error& error, const std::string& name);

struct PictureFailure {
  std::string reason;
  bool unread = false;  // the file could not be opened or read at all (UnreadableFile)
};

// The same of whatever was thrown while the picture `name` was read, decoded or changed. Any std::exception is taken
// for the picture's fault, whatever was expected of it. Thrown on is what speaks of the machine: Error{kSystem},
// std::system_error, and std::bad_alloc, which becomes an Error{kSystem} with the picture's name; and what is no
// std::exception.
PictureFailure picture_failure(const std::exception_ptr& failure, const std::string& name);

}  // namespace resflow
