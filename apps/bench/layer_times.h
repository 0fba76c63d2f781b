// How long each step of a network takes, beside what this machine could do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/plan/plan.h"

namespace resflow {

// The machine's roof: both measured.
struct Roof {
  double gflops = 0;           // 10^9 operations a second, of a product of two matrices
  double gbytes_a_second = 0;  // 10^9 bytes a second, of a triad
};

// One step of forward or backward.
struct LayerTime {
  std::string name = {}, kind = {}, implementation = {};
  bool backward = false, reorder = false;
  double seconds = 0;
  double operations = 0;  // two a multiply-add
  double bytes = 0;       // sources, parameters and results, each once

  double gflops() const { return 1e-9 * operations / seconds; }
  double gbytes_a_second() const { return 1e-9 * bytes / seconds; }
  // The speed as a fraction of what the roof allows. It is above 1 where a cache still holds a tensor, and where
  // Winograd saves operations.
  double of_roof(const Roof& roof) const;
};

// An entry for each step that takes time, the longest first. `profile` was taken of the plan that `rows` describe.
std::vector<LayerTime> layer_times(const std::vector<Plan::Row>& rows, const Plan::Profile& profile);

double sum_seconds(const std::vector<LayerTime>& layers);

// The layers of a kind together ("conv + batch_norm + relu", "reorder"), the longest first.
struct KindTime {
  std::string kind;
  int64_t count = 0;
  double seconds = 0;
};
std::vector<KindTime> by_kind(const std::vector<LayerTime>& layers);

}  // namespace resflow
