#include "apps/train/lr_find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace resflow {

std::vector<LrFindPoint> find_learning_rate(Trainer& trainer, Loader& loader, const LrFindOptions& options,
                                            const std::function<bool(int64_t done)>& progress) {
  constexpr double kSmoothing = 0.9, kTooHigh = 4;
  const double factor = std::pow(options.high / options.low, 1 / static_cast<double>(options.steps - 1));
  std::vector<LrFindPoint> points;
  double average = 0, lowest = 0;
  bool done = false;
  for (uint64_t epoch = 0; !done; ++epoch) {
    const size_t before = points.size();
    const EpochReport report = loader.run(epoch, 0, [&](const Batch& batch) {
      if (batch.size < 2) return true;  // batch norm has no variance of one picture
      const auto step = static_cast<int64_t>(points.size());
      LrFindPoint point = {.lr = options.low * std::pow(factor, static_cast<double>(step))};
      trainer.set_lr(point.lr);
      point.loss = trainer.step(batch.pixels, {batch.labels.data(), static_cast<size_t>(batch.size)}).loss;
      average = kSmoothing * average + (1 - kSmoothing) * point.loss;
      point.smoothed = average / (1 - std::pow(kSmoothing, static_cast<double>(step + 1)));
      done = !std::isfinite(point.loss);
      if (!done) points.push_back(point);
      lowest = step == 0 ? point.smoothed : std::min(lowest, point.smoothed);
      done = done || point.smoothed > kTooHigh * lowest || step + 1 >= options.steps || !progress(step + 1);
      return !done;
    });
    // Or there was not one batch that could be trained on.
    done = done || report.stopped || points.size() == before;
  }
  return points;
}

LrAdvice advise(const std::vector<LrFindPoint>& points) {
  LrAdvice advice;
  if (points.empty()) return advice;
  double steepest = 0;
  for (size_t i = 1; i + 1 < points.size(); ++i) {
    const double slope =
        (points[i + 1].smoothed - points[i - 1].smoothed) / (std::log(points[i + 1].lr) - std::log(points[i - 1].lr));
    if (slope < steepest) {
      steepest = slope;
      advice.steepest = points[i].lr;
    }
  }
  advice.lowest_tenth =
      std::min_element(points.begin(), points.end(),
                       [](const LrFindPoint& a, const LrFindPoint& b) { return a.smoothed < b.smoothed; })
          ->lr /
      10;
  return advice;
}

Plot lr_find_plot(const std::vector<LrFindPoint>& points) {
  Plot plot = {.title = "Loss over the learning rate",
               .description = "The loss of each step, and smoothed, while the learning rate rises.",
               .x_label = "learning rate",
               .y_label = "loss",
               .log_x = true};
  PlotSeries each = {.name = "each step", .style = PlotSeries::Style::kPoints, .colour = 1};
  PlotSeries smoothed = {.name = "smoothed"};
  double low = points.front().smoothed, high = low;
  for (const LrFindPoint& p : points) {
    each.x.push_back(p.lr);
    each.y.push_back(p.loss);
    smoothed.x.push_back(p.lr);
    smoothed.y.push_back(p.smoothed);
    low = std::min({low, p.smoothed, p.loss});
    high = std::max(high, p.smoothed);
  }
  plot.series = {each, smoothed};
  // A loss that leaps at the end would flatten the rest.
  if (low < high) {
    plot.y_low = low;
    plot.y_high = std::min(high, points.front().smoothed * 1.5);
  }
  const LrAdvice advice = advise(points);
  if (advice.steepest > 0) plot.marks.push_back({.x = advice.steepest, .label = "steepest"});
  return plot;
}

std::string lr_find_csv(const std::vector<LrFindPoint>& points) {
  std::string text = "lr,loss,smoothed_loss\n";
  for (const LrFindPoint& p : points) text += fmt::format("{},{},{}\n", p.lr, p.loss, p.smoothed);
  return text;
}

}  // namespace resflow
