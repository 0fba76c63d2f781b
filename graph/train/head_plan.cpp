#include "graph/train/head_plan.h"

#include <algorithm>
#include <cstring>

#include "graph/plan/arena.h"
#include "io/core/error.h"
#include "ops/linear.h"

namespace resflow {

struct HeadPlan::Impl {
  Impl(Model& the_model, int64_t the_batch)
      : model(the_model),
        batch(the_batch),
        weight(model.parameter("fc.weight")),
        bias(model.parameter("fc.bias")),
        seen_version(version()) {
    if (batch < 1) throw usage_error("batch is {}: wanted at least 1", batch);
    const Compute& compute = model.compute();
    compute.run([&] {
      features = Tensor("features", plain_desc({batch, model.feature_count()}), compute);
      outputs = Tensor("outputs", plain_desc({batch, model.description().num_classes}), compute);
      op = make_linear({.compute = compute}, features.desc(), weight, bias);
      scratch = std::make_unique<Arena>(std::max<size_t>(op->requirements().scratch_bytes, 1), compute);
      op->bind({.src = {features.data()}, .dst = outputs.data(), .diff_src = {}, .scratch = scratch->data()});
    });
  }

  uint64_t version() const { return weight.version + bias.version; }

  Model& model;
  int64_t batch;
  Parameter& weight;
  Parameter& bias;
  uint64_t seen_version;  // that the op's copies are of
  Tensor features, outputs;
  std::unique_ptr<Op> op;
  std::unique_ptr<Arena> scratch;
};

HeadPlan::HeadPlan(Model& model, int64_t batch) : impl_(std::make_unique<Impl>(model, batch)) {}
HeadPlan::~HeadPlan() = default;

std::span<const float> HeadPlan::forward(const float* features, int64_t rows) {
  Impl& plan = *impl_;
  if (rows < 1 || rows > plan.batch) throw internal_error("{} rows in a head planned for {}", rows, plan.batch);
  plan.model.compute().run([&] {
    if (plan.version() != plan.seen_version) plan.op->refresh();
    plan.seen_version = plan.version();
    std::memcpy(plan.features.data(), features, static_cast<size_t>(rows * plan.model.feature_count()) * sizeof(float));
    plan.op->forward();
  });
  return {plan.outputs.data(), static_cast<size_t>(plan.batch * plan.model.description().num_classes)};
}

}  // namespace resflow
