// What oneTBB orders, told to ThreadSanitizer. The library comes from the system and is not instrumented, so that its
// atomics are not seen: without this every task would race with who made it.
//
// Told are: what comes before a task is spawned comes before the task; all tasks that have ended come before a wait
// ends; memory of tasks is malloc's, which the sanitizer knows. Nothing else is: two tasks that run at the same time
// still race. Where a task begins and ends is seen by a table of virtual functions of its own, which stands in for that
// of its class.
#include <dlfcn.h>
#include <oneapi/tbb/detail/_task.h>
#include <oneapi/tbb/task_arena.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace {

// Stands for the end of any task.
char g_ended;

// The function of the library that the one of the same name here stands in for.
template <class Function>
Function* library(const char* mangled) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, mangled));
}

using Task = tbb::detail::d1::task;
using Run = Task* (*)(Task*, tbb::detail::d1::execution_data&);

// A class's virtual functions: two destructors, execute, cancel; what stands before them are its type and offset.
constexpr size_t kBefore = 2, kFunctions = 4, kExecute = 2, kCancel = 3;

struct Table {
  std::array<void*, kBefore + kFunctions> entries{};
  Run execute = nullptr, cancel = nullptr;
};

std::mutex g_tables_mutex;
// By the class's own table, and by the one that stands in for it.
std::map<void*, Table*>& tables() {
  static auto* all = new std::map<void*, Table*>;
  return *all;
}

void** functions_of(Task* task) {
  void** functions = nullptr;
  std::memcpy(&functions, static_cast<void*>(task), sizeof functions);
  return functions;
}

void set_functions(Task* task, void** functions) {
  std::memcpy(static_cast<void*>(task), &functions, sizeof functions);
}

Task* run(Task* task, tbb::detail::d1::execution_data& data, Run Table::*which) {
  Table* table = nullptr;
  {
    const std::lock_guard lock(g_tables_mutex);
    table = tables().at(functions_of(task));
  }
  __tsan_acquire(task);
  Task* next = (table->*which)(task, data);
  // The task may be gone by now.
  __tsan_release(&g_ended);
  return next;
}

Task* execute(Task* task, tbb::detail::d1::execution_data& data) { return run(task, data, &Table::execute); }
Task* cancel(Task* task, tbb::detail::d1::execution_data& data) { return run(task, data, &Table::cancel); }

// To be called before the library gets the task.
void given(Task& task) {
  {
    const std::lock_guard lock(g_tables_mutex);
    void** own = functions_of(&task);
    Table*& table = tables()[own];
    if (table == nullptr) {
      table = new Table;
      std::memcpy(table->entries.data(), own - kBefore, sizeof table->entries);
      table->execute = reinterpret_cast<Run>(own[kExecute]);
      table->cancel = reinterpret_cast<Run>(own[kCancel]);
      table->entries[kBefore + kExecute] = reinterpret_cast<void*>(&execute);
      table->entries[kBefore + kCancel] = reinterpret_cast<void*>(&cancel);
      tables()[table->entries.data() + kBefore] = table;
    }
    set_functions(&task, table->entries.data() + kBefore);
  }
  __tsan_release(&task);
}

// A wait ends when the count of what it waits for, which tasks lower in code that is instrumented, is zero. The library
// reads the count unseen.
void waited_for(tbb::detail::d1::wait_context& waited) {
  constexpr size_t kCount = 8;
  static_assert(sizeof waited == 2 * sizeof(uint64_t));
  __tsan_acquire(reinterpret_cast<char*>(&waited) + kCount);
  __tsan_acquire(&g_ended);
}

}  // namespace

namespace tbb::detail::r1 {

void spawn(d1::task& task, d1::task_group_context& context) {
  static auto* const real = library<void(d1::task&, d1::task_group_context&)>(
      "_ZN3tbb6detail2r15spawnERNS0_2d14taskERNS2_18task_group_contextE");
  given(task);
  real(task, context);
}

void spawn(d1::task& task, d1::task_group_context& context, d1::slot_id slot) {
  static auto* const real = library<void(d1::task&, d1::task_group_context&, d1::slot_id)>(
      "_ZN3tbb6detail2r15spawnERNS0_2d14taskERNS2_18task_group_contextEt");
  given(task);
  real(task, context, slot);
}

void submit(d1::task& task, d1::task_group_context& context, arena* where, std::uintptr_t critical) {
  static auto* const real = library<void(d1::task&, d1::task_group_context&, arena*, std::uintptr_t)>(
      "_ZN3tbb6detail2r16submitERNS0_2d14taskERNS2_18task_group_contextEPNS1_5arenaEm");
  given(task);
  real(task, context, where, critical);
}

void execute_and_wait(d1::task& task, d1::task_group_context& context, d1::wait_context& waited,
                      d1::task_group_context& waiting) {
  static auto* const real =
      library<void(d1::task&, d1::task_group_context&, d1::wait_context&, d1::task_group_context&)>(
          "_ZN3tbb6detail2r116execute_and_waitERNS0_2d14taskERNS2_18task_group_contextERNS2_12wait_contextES6_");
  given(task);
  real(task, context, waited, waiting);
  waited_for(waited);
}

void wait(d1::wait_context& waited, d1::task_group_context& context) {
  static auto* const real = library<void(d1::wait_context&, d1::task_group_context&)>(
      "_ZN3tbb6detail2r14waitERNS0_2d112wait_contextERNS2_18task_group_contextE");
  real(waited, context);
  waited_for(waited);
}

void* allocate(d1::small_object_pool*& pool, std::size_t bytes) {
  pool = nullptr;
  return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
}

void* allocate(d1::small_object_pool*& pool, std::size_t bytes, const d1::execution_data&) {
  return allocate(pool, bytes);
}

void deallocate(d1::small_object_pool&, void* block, std::size_t) { std::free(block); }
void deallocate(d1::small_object_pool&, void* block, std::size_t, const d1::execution_data&) { std::free(block); }

void* cache_aligned_allocate(std::size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); }
void cache_aligned_deallocate(void* block) { std::free(block); }
void* allocate_memory(std::size_t bytes) { return std::malloc(bytes); }
void deallocate_memory(void* block) { std::free(block); }

}  // namespace tbb::detail::r1
