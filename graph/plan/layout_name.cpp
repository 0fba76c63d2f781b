#include "graph/plan/layout_name.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace resflow {

namespace {

// " u8"; nothing of f32.
std::string type_name(dnnl::memory::data_type type) {
  using Type = dnnl::memory::data_type;
  switch (type) {
    case Type::f32:
      return "";
    case Type::bf16:
      return " bf16";
    case Type::s8:
      return " s8";
    case Type::u8:
      return " u8";
    default:
      return " other";
  }
}

}  // namespace

std::string layout_name(const Desc& desc) {
  if (desc.get_format_kind() != dnnl::memory::format_kind::blocked) return "opaque" + type_name(desc.get_data_type());
  const Dims strides = desc.get_strides(), blocks = desc.get_inner_blks(), blocked = desc.get_inner_idxs();
  std::string letters = std::string("nchw").substr(0, strides.size());
  if (strides.size() > 4) letters = std::string("abcdefghijkl").substr(0, strides.size());
  for (const int64_t dim : blocked) {
    char& letter = letters[static_cast<size_t>(dim)];
    letter = static_cast<char>(std::toupper(letter));
  }
  // A side of one element may have any stride: it keeps its place.
  std::vector<size_t> order(strides.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return strides[a] > strides[b]; });
  std::string name;
  for (const size_t dim : order) name += letters[dim];
  for (size_t i = 0; i < blocks.size(); ++i)
    name += std::to_string(blocks[i]) + static_cast<char>(std::tolower(letters[static_cast<size_t>(blocked[i])]));
  return name + type_name(desc.get_data_type());
}

}  // namespace resflow
