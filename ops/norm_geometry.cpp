#include "ops/norm_geometry.h"

#include <algorithm>
#include <optional>

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;

std::optional<NormGeometry> geometry_of(const Desc& desc) {
  const Dims d = desc.get_dims();
  const auto type = desc.get_data_type();
  if (desc == Desc(d, type, Tag::nhwc))
    return NormGeometry{.units = 1, .groups = 1, .rows = d[0] * d[2] * d[3], .stride = d[1], .width = d[1]};
  const auto blocked = [&](int64_t block) {
    const int64_t groups = (d[1] + block - 1) / block;
    return NormGeometry{.units = d[0] * groups, .groups = groups, .rows = d[2] * d[3], .stride = block, .width = block};
  };
  if (desc == Desc(d, type, Tag::nChw16c)) return blocked(16);
  if (desc == Desc(d, type, Tag::nChw8c)) return blocked(8);
  return std::nullopt;
}

}  // namespace

Desc norm_desc(const Desc& desc) {
  return geometry_of(desc) ? desc : Desc(desc.get_dims(), desc.get_data_type(), Tag::nhwc);
}

NormGeometry norm_geometry(const Desc& desc) { return geometry_of(desc).value(); }

Isa norm_isa(Isa isa, int64_t width) { return std::min(kernel_isa(isa), width < 16 ? Isa::kAvx2 : Isa::kAvx512); }

}  // namespace resflow
