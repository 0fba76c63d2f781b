#include "ops/pooling/global_avg_pool.h"

#include "ops/pooling/pool.h"
#include "ops/primitive.h"

namespace resflow {

std::unique_ptr<Op> make_global_avg_pool(const OpContext& context, const Desc& src) {
  require_rank(src, 4, "global average pool, src");
  const Dims s = src.get_dims();
  return make_pool(context,
                   {.algorithm = dnnl::algorithm::pooling_avg_exclude_padding,
                    .kernel = {s[2], s[3]},
                    .stride = {s[2], s[3]},
                    .pad_l = {0, 0},
                    .pad_r = {0, 0},
                    .dst = {s[0], s[1], 1, 1}},
                   src);
}

}  // namespace resflow
