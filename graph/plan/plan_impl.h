// What a Plan is made of. For plan.cpp and plan_profile.cpp alone.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "graph/plan/arena.h"
#include "graph/plan/plan.h"
#include "graph/plan/program.h"

namespace resflow {

struct Plan::Impl {
  Impl(Model& the_model, const Compute& the_compute, const PlanOptions& the_options, const Impl* arena_lender,
       std::shared_ptr<Impl> copies_lender);

  bool training() const { return options.mode == Mode::kTrain; }

  // Before bind: ops take the addresses there.
  void take_gradients() {
    if (training()) gradients = std::make_unique<Gradients>(program.buckets, at(program.bucket_buffers), compute);
  }

  void take_arena(const Impl* lender);

  void* at(BufferId buffer) const {
    return buffer == kNoBuffer ? nullptr : arena->data() + program.buffers.offset_of(buffer);
  }
  std::vector<void*> at(const std::vector<BufferId>& buffers) const {
    std::vector<void*> places;
    places.reserve(buffers.size());
    for (const BufferId buffer : buffers) places.push_back(at(buffer));
    return places;
  }

  void bind();

  template <class OnBucket>
  void run(std::span<const Step> steps, const OnBucket& on_bucket) const {
    for (const Step& step : steps) {
      switch (step.kind) {
        case Step::Kind::kForward:
          program.ops[step.index].op->forward();
          break;
        case Step::Kind::kBackward:
          program.ops[step.index].op->backward();
          break;
        case Step::Kind::kMove:
          program.moves[step.index].move.run();
          break;
        case Step::Kind::kBucket:
          on_bucket(gradients->buckets()[step.index]);
          break;
      }
    }
  }

  void run(std::span<const Step> steps) const {
    run(steps, [](const Bucket& /*bucket*/) {});
  }

  template <class Work>
  std::span<const float> run_forward(const Work& work) {
    follow_parameters();
    compute.run(work);
    return {static_cast<const float*>(at(program.output)), output_count()};
  }

  void write_pixels(const float* pixels, int64_t rows);

  std::span<const Step> prefix_steps() const { return std::span(program.forward).first(program.prefix_steps); }
  std::span<const Step> other_steps() const { return std::span(program.forward).subspan(program.prefix_steps); }

  void run_observed(const Observer& observer);

  // Copies of parameters that have changed, a lender's first. Several plans may come at once for the same lender's.
  void follow_parameters();

  void refresh();

  // Notes the versions there are now; true where one has changed.
  bool parameters_changed();

  size_t copy_bytes() const;

  size_t output_count() const;

  Model& model;
  const Compute& compute;
  PlanOptions options;
  std::shared_ptr<Impl> copies_of;  // whose copies of parameters the ops may have borrowed
  Program program;
  std::unique_ptr<Gradients> gradients;  // kTrain
  std::shared_ptr<Arena> arena;
  std::vector<const Parameter*> watched;  // folded copies follow these
  std::vector<uint64_t> seen_versions;
  std::mutex following;
};

}  // namespace resflow
