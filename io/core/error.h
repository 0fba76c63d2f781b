// The one exception type that leaves a resflow library.
//
// An Error is a kind and one sentence that says what, where, wanted against got, and what to do:
//   layer2.0.conv1.weight: checkpoint has (128,64,3,3), model wants (128,256,1,1). Trained with another --model?
// The kind decides the exit code of the program. A setting that the sentence is about stands in it as setting("batch")
// (io/core/setting.h).
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "io/core/setting.h"

namespace resflow {

enum class ErrorKind {
  kUsage,     // the caller asked for something that cannot be: exit code 2
  kData,      // a file or data set is not what it should be: exit code 3
  kSystem,    // the machine failed us (disk full, out of memory): exit code 4
  kInternal,  // our own fault: exit code 4
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& sentence)
      : std::runtime_error(without_marks(sentence)), kind_(kind), marked_(sentence) {}

  ErrorKind kind() const { return kind_; }
  // The sentence with its settings still marked: for with_names(), and for an Error that says more around it.
  const std::string& marked() const { return marked_; }
  int exit_code() const { return kind_ == ErrorKind::kUsage ? 2 : kind_ == ErrorKind::kData ? 3 : 4; }

 private:
  ErrorKind kind_;
  std::string marked_;
};

// An Error{kData} that says that a file cannot be opened or read (it is absent, nobody may read it), whatever it holds.
// Where files can be read one after the other, some of them are damaged; where many in a row are not to be had, it is
// rather the disk that is gone.
class UnreadableFile : public Error {
 public:
  explicit UnreadableFile(const std::string& sentence) : Error(ErrorKind::kData, sentence) {}
};

// Shorthands: throw usage_error("{} is {}: wanted at least 1", setting("batch"), n);
template <class... Args>
Error usage_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::kUsage, fmt::format(format, std::forward<Args>(args)...)};
}
template <class... Args>
Error data_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::kData, fmt::format(format, std::forward<Args>(args)...)};
}
template <class... Args>
Error system_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::kSystem, fmt::format(format, std::forward<Args>(args)...)};
}
template <class... Args>
Error internal_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::kInternal, fmt::format(format, std::forward<Args>(args)...)};
}

// What `error`, a value of errno, means: "No space left on device".
inline std::string reason_of(int error) { return std::generic_category().message(error); }

}  // namespace resflow
