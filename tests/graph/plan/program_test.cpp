// Covers: graph/plan/buffers graph/plan/gradients graph/plan/make_op graph/plan/move
#include "graph/plan/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "graph/model/model_zoo.h"
#include "graph/plan/gradients.h"
#include "tests/graph/cases.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Use {
  BufferId buffer;
  size_t bytes;
  bool writes;
};

size_t bucket_of(const Program& program, const Parameter* parameter) {
  for (size_t i = 0; i < program.buckets.size(); ++i)
    for (const Parameter* other : program.buckets[i])
      if (other == parameter) return i;
  throw std::out_of_range(parameter->name);
}

// What each step of a program reads and writes, from its ops and moves alone: an independent account of lifetimes.
std::vector<std::vector<Use>> uses_of(const Program& program) {
  std::vector<std::vector<Use>> steps;
  for (const auto* list : {&program.forward, &program.backward}) {
    for (const Step& step : *list) {
      std::vector<Use>& uses = steps.emplace_back();
      const auto use = [&](BufferId buffer, size_t bytes, bool writes) {
        if (buffer != kNoBuffer) uses.push_back({buffer, bytes, writes});
      };
      if (step.kind == Step::Kind::kMove) {
        const PlannedMove& move = program.moves[step.index];
        use(move.from, move.move.from().get_size(), false);
        if (move.move.kind() == Move::Kind::kAccumulate) use(move.to, move.move.to().get_size(), false);
        use(move.to, move.move.to().get_size(), true);
      } else if (step.kind == Step::Kind::kBucket) {
        use(program.bucket_buffers[step.index], bucket_bytes(program.buckets[step.index]), false);
      } else {
        const PlannedOp& op = program.ops[step.index];
        const Requirements& wants = op.op->requirements();
        if (step.kind == Step::Kind::kForward) {
          for (size_t i = 0; i < op.src.size(); ++i) use(op.src[i], wants.src[i].get_size(), false);
          use(op.dst, wants.dst.get_size(), true);
          use(op.workspace, wants.workspace_bytes, true);
        } else {
          use(op.diff_dst, wants.diff_dst.get_size(), false);
          if (wants.backward_reads_src) use(op.src[0], wants.src[0].get_size(), false);
          if (wants.backward_reads_dst) use(op.dst, wants.dst.get_size(), false);
          use(op.workspace, wants.workspace_bytes, false);
          for (size_t i = 0; i < op.diff_src.size(); ++i) use(op.diff_src[i], wants.diff_src[i].get_size(), true);
          // Not the whole bucket: but where an op writes into it, nobody else may be.
          for (Parameter* parameter : op.op->parameters()) {
            const size_t bucket = bucket_of(program, parameter);
            use(program.bucket_buffers[bucket], bucket_bytes(program.buckets[bucket]), true);
          }
        }
        use(op.scratch, wants.scratch_bytes, true);
      }
    }
  }
  return steps;
}

// Plays the program on a map from bytes of the arena to the buffer that wrote them last: every read must find
// the bytes as its own buffer, or one at the same place (in-place ops), left them.
void expect_reads_find_what_was_written(const Program& program) {
  std::map<size_t, std::pair<size_t, size_t>> owner;  // begin -> (end, who wrote)
  const auto write = [&](size_t begin, size_t end, size_t who) {
    auto it = owner.lower_bound(begin);
    if (it != owner.begin()) --it;
    while (it != owner.end() && it->first < end) {
      const auto [old_end, old_who] = it->second;
      const size_t old_begin = it->first;
      if (old_end <= begin) {
        ++it;
        continue;
      }
      it = owner.erase(it);
      if (old_begin < begin) owner[old_begin] = {begin, old_who};
      if (old_end > end) owner[end] = {old_end, old_who};
    }
    owner[begin] = {end, who};
  };
  const auto offset = [&](BufferId buffer) { return program.buffers.offset_of(buffer); };
  const auto who = [&](BufferId buffer) { return static_cast<size_t>(program.buffers.place_of(buffer)); };
  const auto write_buffer = [&](BufferId buffer, size_t bytes) {
    if (bytes > 0) write(offset(buffer), offset(buffer) + bytes, who(buffer));
  };
  write_buffer(program.pixels, size_t{4});
  size_t checked = 0;
  const auto steps = uses_of(program);
  for (size_t s = 0; s < steps.size(); ++s) {
    if (s == program.forward.size() && program.diff_logits != kNoBuffer) write_buffer(program.diff_logits, 4);
    for (const Use& use : steps[s]) {
      if (use.writes || use.bytes == 0) continue;
      const auto at = owner.upper_bound(offset(use.buffer));
      ASSERT_NE(at, owner.begin()) << "step " << s << " reads what nobody wrote";
      const auto& [end, writer] = std::prev(at)->second;
      ASSERT_GT(end, offset(use.buffer));
      ASSERT_EQ(writer, who(use.buffer)) << "step " << s << " reads what somebody else has overwritten";
      if (use.buffer != program.pixels && use.buffer != program.diff_logits) {
        ASSERT_GE(end, offset(use.buffer) + use.bytes) << "step " << s << " reads what is overwritten in part";
      }
      ++checked;
    }
    for (const Use& use : steps[s])
      if (use.writes) write_buffer(use.buffer, use.bytes);
    for (const Use& use : steps[s])
      for (const Use& other : steps[s]) {
        // Buffers of one step lie apart, unless they are one.
        if (who(use.buffer) == who(other.buffer) || use.bytes == 0 || other.bytes == 0) continue;
        ASSERT_TRUE(offset(use.buffer) + use.bytes <= offset(other.buffer) ||
                    offset(other.buffer) + other.bytes <= offset(use.buffer));
      }
  }
  // In the end every gradient is there.
  for (size_t i = 0; i < program.buckets.size(); ++i) {
    const auto at = std::prev(owner.upper_bound(offset(program.bucket_buffers[i])));
    EXPECT_EQ(at->second.second, who(program.bucket_buffers[i]));
    EXPECT_GE(at->second.first, offset(program.bucket_buffers[i]) + bucket_bytes(program.buckets[i]));
  }
  EXPECT_GT(checked, program.forward.size());
}

Program program_of(const Model& model, const ProgramOptions& options) {
  return model.compute().run([&] { return make_program(model, model.compute(), options); });
}

TEST(Program, NoStepReadsWhatAnotherHasOverwritten) {
  const Compute compute(2);
  for (const char* name : {"resnet18", "resnet50", "resnext50_32x4d"}) {
    for (const bool training : {false, true}) {
      for (const Layout layout : {Layout::kAny, Layout::kChannelsLast}) {
        const Model model({.architecture = name}, compute);
        expect_reads_find_what_was_written(
            program_of(model, {.batch = 4, .height = 64, .width = 96, .training = training, .layout = layout}));
      }
    }
  }
}

TEST(Program, NothingRunsOnReferenceCode) {
  const Compute compute(2);
  for (const std::string& name : model_names()) {
    const Model model({.architecture = name, .num_classes = 10}, compute);
    for (const bool training : {false, true}) {
      for (const int64_t batch : {1, 2, 32}) {
        // 64 pixels leave 2x2 in the last stage: more than one value a channel in a training batch of one.
        const Program program = program_of(model, {.batch = batch, .height = 64, .width = 64, .training = training});
        for (const PlannedOp& planned : program.ops) {
          EXPECT_THAT(planned.op->implementation(), Not(HasSubstr("ref"))) << name << " batch " << batch;
          EXPECT_FALSE(planned.op->implementation().empty());
        }
        for (const PlannedMove& planned : program.moves)
          EXPECT_THAT(planned.move.implementation(), Not(HasSubstr("ref"))) << name << ' ' << planned.name;
      }
    }
  }
}

TEST(Program, TrainingResnet34KeepsLittleMoreThanBackwardReadsAndGradientsTakeTheirPlace) {
  // f32 values of one image that backward reads: the input, outputs of convolutions, and of ReLUs but for the stem's,
  // whose place the pooled one takes (the fused norms hide no further value).
  const Compute compute(2);
  const Model model({.architecture = "resnet34"}, compute);
  const Graph& graph = model.graph();
  const auto shapes = graph.shapes(224, 224);
  int64_t values = 0;
  for (size_t id = 0; id < shapes.size(); ++id) {
    const Node& node = graph.nodes()[id];
    const bool kept = std::holds_alternative<InputNode>(node.kind) || std::holds_alternative<ConvNode>(node.kind) ||
                      std::holds_alternative<MaxPoolNode>(node.kind) ||
                      (std::holds_alternative<ReluNode>(node.kind) && node.name != "relu");
    if (kept) values += element_count(shapes[id]);
  }
  constexpr int64_t kBatch = 32;
  const Program program = program_of(model, {.batch = kBatch, .height = 224, .width = 224, .training = true});
  const auto least = static_cast<double>(values * kBatch) * sizeof(float);
  EXPECT_GE(static_cast<double>(program.buffers.bytes()), least);
  // On top come scratch of the kernels, and the first gradients of parameters: those of the last stage are complete
  // when little else is free. Without a share in the place of activations they would take 87 MB more.
  EXPECT_LE(static_cast<double>(program.buffers.bytes()), 1.12 * least);
}

TEST(Program, AGradientOfTwoReadersCostsOnePassAndNoMore) {
  const Compute compute(2);
  const Model model({.architecture = "resnet34"}, compute);
  const int64_t size = testing::small_training_size();
  const Program program = program_of(model, {.batch = 2, .height = size, .width = size, .training = true});
  int sums = 0;
  for (const PlannedMove& move : program.moves) sums += move.move.kind() == Move::Kind::kAccumulate ? 1 : 0;
  EXPECT_EQ(sums, 16);  // one a residual block: all but the last one's output is read twice, and so is the stem's
  // Blocked layouts go all the way: only the linear layer, which has one of its own, needs a reorder each way.
  EXPECT_LE(program.moves.size(), 18U);
}

}  // namespace
}  // namespace resflow
