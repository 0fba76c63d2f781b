#include "ops/pooling/max_pool.h"

#include "io/core/error.h"
#include "ops/pooling/pool.h"
#include "ops/primitive.h"

namespace resflow {

std::unique_ptr<Op> make_max_pool(const OpContext& context, const MaxPoolOptions& o, const Desc& src) {
  require_rank(src, 4, "max pool, src");
  const Dims s = src.get_dims();
  if (o.kernel < 1 || o.stride < 1 || o.pad < 0 || 2 * o.pad > o.kernel)
    throw usage_error("max pool: kernel {}, stride {}, pad {} cannot be", o.kernel, o.stride, o.pad);
  if (s[2] + 2 * o.pad < o.kernel || s[3] + 2 * o.pad < o.kernel)
    throw usage_error("max pool: a window of {} pixels does not fit src {} with pad {}", o.kernel, to_string(s), o.pad);
  const auto out = [&](int64_t size) { return (size + 2 * o.pad - o.kernel) / o.stride + 1; };
  return make_pool(context,
                   {.algorithm = dnnl::algorithm::pooling_max,
                    .kernel = {o.kernel, o.kernel},
                    .stride = {o.stride, o.stride},
                    .pad_l = {o.pad, o.pad},
                    .pad_r = {o.pad, o.pad},
                    .dst = {s[0], s[1], out(s[2]), out(s[3])}},
                   src);
}

}  // namespace resflow
