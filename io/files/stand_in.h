// What people have in place of a file that was never there: a Git LFS pointer, the page of a web site.
#pragma once

#include <string>
#include <string_view>

namespace resflow {

// "is a Git LFS pointer to a file of 102 MB: git lfs pull brings it", where a file that begins with `start` is one;
// else empty.
std::string lfs_pointer(std::string_view start);

// Whether a file that begins with `start` is an HTML or XML page.
bool is_web_page(std::string_view start);

}  // namespace resflow
