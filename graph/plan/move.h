// What a plan itself puts between two ops: a reorder where the layouts of an edge differ, a copy, or the sum of two
// gradients. Made, bound and run as an op is; runs allocate nothing.
#pragma once

#include <cstddef>
#include <string>

#include "ops/primitive.h"

namespace resflow {

class Move {
 public:
  enum class Kind { kAssign, kAccumulate };  // to = from; to = to + from

  // kAssign: to = scale * from, for edges whose storages differ (ops/precision.h).
  Move(Kind kind, const Desc& from, const Desc& to, const Compute& compute, float scale = 1);

  Kind kind() const { return kind_; }
  const Desc& from() const { return from_; }
  const Desc& to() const { return to_; }
  size_t scratch_bytes() const;
  std::string implementation() const;

  void bind(void* from, void* to, void* scratch);
  void run() const { call_.run(); }

 private:
  Kind kind_;
  Desc from_, to_;
  const Compute& compute_;
  dnnl::binary::primitive_desc sum_;  // kAccumulate of equal layouts
  dnnl::reorder::primitive_desc reorder_;
  Tensor scale_;  // where it is not 1
  Call call_;
};

}  // namespace resflow
