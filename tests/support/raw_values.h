// Values to a file that numpy.fromfile reads.
#pragma once

#include <fstream>
#include <span>
#include <string>

namespace resflow::testing {

template <class T>
void append_raw(std::ofstream& file, std::span<const T> values) {
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
}

template <class T>
void write_raw(const std::string& path, std::span<const T> values) {
  std::ofstream file(path, std::ios::binary);
  append_raw(file, values);
}

}  // namespace resflow::testing
