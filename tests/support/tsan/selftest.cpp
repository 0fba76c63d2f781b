// Whether ThreadSanitizer still sees what it is for, with what it is told of oneTBB (tbb_edges.cpp): without an
// argument data go from node to node, with one tasks that run at the same time count without a lock.
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/parallel_for.h>

#include <array>
#include <chrono>
#include <thread>

namespace {

constexpr int kItems = 64;
std::array<int, kItems> g_handed{};
int g_sum = 0;

void take_a_while() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

void hand_on() {
  namespace flow = oneapi::tbb::flow;
  flow::graph graph;
  flow::function_node<int, int> make(graph, 4, [](int i) {
    g_handed[static_cast<size_t>(i)] = i;
    take_a_while();
    return i;
  });
  flow::function_node<int> add(graph, flow::serial, [](int i) { g_sum += g_handed[static_cast<size_t>(i)]; });
  flow::make_edge(make, add);
  for (int i = 0; i < kItems; ++i) make.try_put(i);
  graph.wait_for_all();
}

void race() {
  oneapi::tbb::parallel_for(
      0, kItems,
      [](int) {
        ++g_sum;
        take_a_while();
      },
      oneapi::tbb::simple_partitioner());
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1)
    race();
  else
    hand_on();
  return g_sum == (argc > 1 ? kItems : kItems * (kItems - 1) / 2) ? 0 : 1;
}
