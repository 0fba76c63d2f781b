#include "ops/conv_shape.h"

#include "io/core/error.h"

namespace resflow {

ConvShape::ConvShape(const ConvOptions& o, const Dims& src_dims, const Dims& weight, const std::string& name)
    : options(o), src(src_dims) {
  if (o.kernel < 1 || o.stride < 1 || o.pad < 0 || o.dilation < 1 || o.groups < 1)
    throw usage_error("{}: kernel {}, stride {}, pad {}, dilation {}, groups {} cannot be", name, o.kernel, o.stride,
                      o.pad, o.dilation, o.groups);
  if (src.size() != 4) throw usage_error("{}: src is {}, wanted (N,C,H,W)", name, to_string(src));
  N = src[0], Ci = src[1], H = src[2], W = src[3];
  if (weight.size() != 4 || Ci % o.groups != 0 || weight[0] % o.groups != 0 || weight[1] != Ci / o.groups ||
      weight[2] != o.kernel || weight[3] != o.kernel)
    throw usage_error("{}: weight {} does not fit src {} with kernel {} and {} groups", name, to_string(weight),
                      to_string(src), o.kernel, o.groups);
  Co = weight[0];
  const int64_t reach = o.dilation * (o.kernel - 1) + 1;
  if (H + 2 * o.pad < reach || W + 2 * o.pad < reach)
    throw usage_error("{}: a window of {} pixels does not fit src {} with pad {}", name, reach, to_string(src), o.pad);
  OH = (H + 2 * o.pad - reach) / o.stride + 1;
  OW = (W + 2 * o.pad - reach) / o.stride + 1;

  dst = {N, Co, OH, OW};
  weights = weight;
  if (o.groups > 1) weights = {o.groups, Co / o.groups, Ci / o.groups, o.kernel, o.kernel};
  strides = {o.stride, o.stride};
  dilates = {o.dilation - 1, o.dilation - 1};
  pad_l = {o.pad, o.pad};
  pad_r = pad_l;
}

int64_t ConvShape::multiply_adds() const {
  return N * Co * OH * OW * (Ci / options.groups) * options.kernel * options.kernel;
}

}  // namespace resflow
