#include "apps/bench/network.h"

#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

#include "io/core/error.h"

namespace resflow {

BenchNetwork::BenchNetwork(const Options& options, int threads)
    : options_(options), compute_(threads), model_(options.description(), compute_) {
  model_.initialise(options.seed);
  if (options.train)
    trainer_ = std::make_unique<Trainer>(model_, options.batch, options.image_size,
                                         OptimizerOptions{.name = "adam", .lr = 1e-4});
  else
    plan_ = std::make_unique<Plan>(model_, PlanOptions{.batch = options.batch,
                                                       .height = options.image_size,
                                                       .width = options.image_size,
                                                       .mode = Mode::kEval,
                                                       .layout = Layout::kAny});
}

void BenchNetwork::step(const float* pixels, std::span<const int32_t> labels) {
  if (trainer_)
    trainer_->step(pixels, labels);
  else
    plan_->forward(pixels, static_cast<int64_t>(labels.size()));
}

void BenchNetwork::check(const float* pixels, std::span<const int32_t> labels) {
  if (trainer_) {
    const double loss = trainer_->step(pixels, labels).loss;
    if (!std::isfinite(loss)) throw internal_error("{}: the first step's loss is {}", options_.model, loss);
    return;
  }
  const auto rows = static_cast<int64_t>(labels.size());
  const std::span<const float> first = plan_->forward(pixels, rows);
  const std::vector<float> logits(first.begin(), first.end());
  const std::span<const float> second = plan_->forward(pixels, rows);
  const bool finite = std::all_of(logits.begin(), logits.end(), [](float value) { return std::isfinite(value); });
  if (!finite || !std::equal(logits.begin(), logits.end(), second.begin()))
    throw internal_error("{}: scoring the same pictures twice gives {}", options_.model,
                         finite ? "different numbers" : "no numbers");
}

double BenchNetwork::operations_a_picture() const {
  const Graph& graph = model_.graph();
  const int64_t side = options_.image_size, forward = multiply_adds(graph, side, side);
  if (!trainer_) return 2.0 * static_cast<double>(forward);
  const std::vector<Dims> shapes = graph.shapes(side, side);
  int64_t first = 0;
  for (size_t i = 0; i < graph.nodes().size() && first == 0; ++i)
    if (std::holds_alternative<ConvNode>(graph.nodes()[i].kind)) first = multiply_adds(graph.nodes()[i], shapes[i]);
  return 2.0 * static_cast<double>(3 * forward - first);
}

}  // namespace resflow
