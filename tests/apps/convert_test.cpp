// resflow convert: every bit and every word arrives, or it is said what does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/pth/pth.h"
#include "io/weights/safetensors.h"
#include "io/weights/weights.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

ProcessResult convert(const std::string& in, const std::string& out, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"convert", in, out});
  return resflow(more);
}

void expect_refused(const ProcessResult& result, int exit_code, const std::vector<std::string>& words) {
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  for (const std::string& word : words) EXPECT_THAT(result.err, HasSubstr(word));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

void expect_same(const std::vector<NamedArray>& got, const std::vector<NamedArray>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].name, wanted[i].name);
    EXPECT_TRUE(got[i].array == wanted[i].array) << wanted[i].name;
  }
}

TEST(ConvertProgram, PyTorchGetsBackWhatItWrote) {
  if (!python_has({"torch", "torchvision"})) GTEST_SKIP() << "no PyTorch in /usr/bin/python3";
  const TemporaryFolder folder;
  const char* script = "apps/weights_files.py";
  run_python(script, {"make", folder.path().string()});
  std::vector<std::string> pairs = {"same"};
  // pth -> safetensors -> resflow -> pth, from both forms.
  for (const std::string name : {"model", "legacy"}) {
    const ProcessResult first = convert(folder / (name + ".pth"), folder / "b.safetensors", {"--check"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    EXPECT_THAT(first.out, HasSubstr("resnet18 with 3 classes"));
    EXPECT_THAT(first.out, HasSubstr("checked: 122 tensors"));
    ASSERT_EQ(convert(folder / "b.safetensors", folder / "c.resflow", {"--check"}).exit_code, 0);
    const ProcessResult last = convert(folder / "c.resflow", folder / (name + "2.pth"), {"--check"});
    ASSERT_EQ(last.exit_code, 0) << last.err;
    pairs.insert(pairs.end(), {folder / (name + ".pth"), folder / (name + "2.pth")});
  }
  // What is no model, with its dtypes.
  const ProcessResult odd = convert(folder / "odd.pth", folder / "odd.safetensors");
  ASSERT_EQ(odd.exit_code, 0) << odd.err;
  EXPECT_THAT(odd.out, HasSubstr("9 tensors, of no model that resflow knows"));
  ASSERT_EQ(convert(folder / "odd.safetensors", folder / "odd2.pth").exit_code, 0);
  pairs.insert(pairs.end(), {folder / "odd.pth", folder / "odd2.pth"});
  expect_refused(convert(folder / "odd.pth", folder / "odd.resflow"), 3,
                 {"no ResNet: none of its 9 names is one of ours"});
  // A state dict within more.
  const ProcessResult nested = convert(folder / "nested.pth", folder / "nested2.pth");
  ASSERT_EQ(nested.exit_code, 0) << nested.err;
  EXPECT_THAT(nested.err, HasSubstr("only what stands under \"state_dict\" is taken; an optimizer's state"));
  pairs.insert(pairs.end(), {folder / "model.pth", folder / "nested2.pth"});
  // Half precision is kept, but in a model to run.
  ASSERT_EQ(convert(folder / "half.pth", folder / "half.safetensors").exit_code, 0);
  ASSERT_EQ(convert(folder / "half.safetensors", folder / "half2.pth").exit_code, 0);
  pairs.insert(pairs.end(), {folder / "half.pth", folder / "half2.pth"});
  const ProcessResult wide = convert(folder / "half.pth", folder / "wide.resflow");
  ASSERT_EQ(wide.exit_code, 0) << wide.err;
  EXPECT_THAT(wide.err, HasSubstr("102 tensors of f16 became f32"));
  for (const TensorEntry& t : read_checkpoint_summary(folder / "wide.resflow").parameters)
    EXPECT_EQ(t.dtype, t.name.ends_with("tracked") ? DType::kI64 : DType::kF32) << t.name;
  EXPECT_NO_THROW(run_python(script, pairs));
}

TEST(ConvertProgram, OnnxIsWrittenCheckedAndNotRead) {
  const TemporaryFolder folder;
  save_checkpoint(made_checkpoint(), folder / "a.resflow");
  const std::string out = folder / "a.onnx";
  const ProcessResult folded = convert(folder / "a.resflow", out, {"--fold-batch-norm"});
  ASSERT_EQ(folded.exit_code, 0) << folded.err;
  EXPECT_THAT(folded.out, HasSubstr("a.onnx (onnx, 44."));
  EXPECT_THAT(folded.err, HasSubstr("without the optimizer's state"));
  const ProcessResult shown = resflow({"inspect", out});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  for (const char* words : {"onnx (opset 17, made by resflow", "resnet18, by its metadata", "pebbles", "centre 48 x 48",
                            "converted from: a.resflow"})
    EXPECT_THAT(shown.out, HasSubstr(words));
  ASSERT_EQ(convert(folder / "a.resflow", out).exit_code, 0);
  EXPECT_THAT(resflow({"inspect", out}).out, HasSubstr("resnet18 with 3 classes: all tensors fit; 20 num_batches"));
  expect_refused(convert(out, folder / "b.pth"), 2, {out, "writes and does not read"});
  expect_refused(convert(out, folder / "b.resflow"), 2, {out, "writes and does not read"});
  write_text(folder / "photo.jpg", photo_bytes(0, 0));
  expect_refused(resflow({"score", out, folder / "photo.jpg"}), 2, {out, "writes and does not read"});

  const auto with_python = [&](const std::string& python) {
    return run_process({RESFLOW_PROGRAM, "convert", folder / "a.resflow", out, "--check", "--fold-batch-norm"},
                       {.input = {}, .environment = {"RESFLOW_PYTHON=" + python}});
  };
  const ProcessResult absent = with_python(folder / "no-python");
  EXPECT_EQ(absent.exit_code, 0) << absent.err;
  EXPECT_THAT(absent.err, HasSubstr("not checked: "));
  EXPECT_THAT(absent.out, Not(HasSubstr("checked")));
  if (!python_has({"onnxruntime"}, Python::kEnv)) GTEST_SKIP() << kNoPythonEnv;
  std::string python = run_process({std::string(RESFLOW_SOURCE_DIR) + "/scripts/python-env", "--find"}).out;
  while (python.ends_with('\n')) python.pop_back();
  const ProcessResult checked = with_python(python);
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("checked: onnxruntime"));
}

TEST(ConvertProgram, SafetensorsCarryWhatACheckpointSays) {
  const TemporaryFolder folder;
  const Checkpoint checkpoint = made_checkpoint();
  save_checkpoint(checkpoint, folder / "a.resflow");
  const ProcessResult there = convert(folder / "a.resflow", folder / "b.safetensors");
  ASSERT_EQ(there.exit_code, 0) << there.err;
  EXPECT_THAT(there.err, HasSubstr("without the optimizer's state"));
  EXPECT_THAT(there.err, Not(HasSubstr("class names")));
  const ProcessResult back = convert(folder / "b.safetensors", folder / "c.resflow");
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_EQ(back.err, "");  // nothing had to be assumed
  const Checkpoint got = load_checkpoint(folder / "c.resflow");
  EXPECT_EQ(got.model, checkpoint.model);
  EXPECT_EQ(got.classes, checkpoint.classes);
  EXPECT_EQ(got.preprocessing, checkpoint.preprocessing);
  EXPECT_EQ(got.optimizer_name, "");
  expect_same(got.parameters, checkpoint.parameters);
  ASSERT_EQ(got.provenance.size(), 5U);
  EXPECT_THAT(got.provenance[0], Pair("made by", "a test"));
  EXPECT_THAT(got.provenance[1], Pair("converted from", HasSubstr("a.resflow (resflow")));
  EXPECT_THAT(got.provenance[3], Pair("converted from", HasSubstr("b.safetensors (safetensors")));
  EXPECT_THAT(got.provenance[4], Pair("made by", HasSubstr("resflow ")));
  // Within resflow's own format a run can go on.
  ASSERT_EQ(convert(folder / "a.resflow", folder / "d.resflow").exit_code, 0);
  EXPECT_EQ(load_checkpoint(folder / "d.resflow").optimizer_name, "adam");
  EXPECT_EQ(load_checkpoint(folder / "d.resflow").training.epoch, 2);
}

TEST(ConvertProgram, PthHasNoPlaceForNames) {
  const TemporaryFolder folder;
  save_checkpoint(made_checkpoint(), folder / "a.resflow");
  const ProcessResult result = convert(folder / "a.resflow", folder / "b.bin", {"--to", "pth"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no place for class names"));
  expect_same(read_pth(folder / "b.bin").tensors, made_weights());
  // A model of .pth is as its reader is told.
  write_text(folder / "names.txt", "x\ny\nz\n");
  const ProcessResult named = convert(folder / "b.bin", folder / "c.resflow",
                                      {"--classes", folder / "names.txt", "--crop", "64", "--model", "resnet18"});
  ASSERT_EQ(named.exit_code, 0) << named.err;
  const Checkpoint got = load_checkpoint(folder / "c.resflow");
  EXPECT_THAT(got.classes, ElementsAre("x", "y", "z"));
  EXPECT_EQ(got.preprocessing.crop, 64);
  EXPECT_EQ(got.preprocessing.resize, 73);
  const ProcessResult plain = convert(folder / "b.bin", folder / "d.resflow");
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_THAT(plain.err, HasSubstr("\"class 0\" to \"class 2\""));
  EXPECT_THAT(plain.err, HasSubstr("does not say how pictures are prepared"));
  EXPECT_THAT(load_checkpoint(folder / "d.resflow").classes, ElementsAre("class 0", "class 1", "class 2"));
}

TEST(ConvertProgram, KeepsOtherProgramsMetadata) {
  const TemporaryFolder folder;
  const std::vector<NamedArray> tensors = {{"w", Array(DType::kF16, {2})}};
  write_safetensors(tensors, {{"format", "pt"}, {"classes", "not resflow's"}, {"epoch", "7"}},
                    folder / "a.safetensors");
  const ProcessResult result = convert(folder / "a.safetensors", folder / "b.safetensors");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("\"classes\" is not as resflow writes it"));
  const Safetensors got = read_safetensors(folder / "b.safetensors");
  EXPECT_THAT(got.summary.metadata, ::testing::IsSupersetOf({Pair("format", "pt"), Pair("epoch", "7")}));
  expect_same(got.tensors, tensors);
}

TEST(ConvertProgram, RefusesWithOneSentenceAndLeavesFilesAlone) {
  const TemporaryFolder folder;
  std::vector<NamedArray> tensors = made_weights();
  const std::string in = folder / "a.safetensors";
  write_safetensors(tensors, {}, in);
  const std::string before = read_text(in);
  expect_refused(convert(in, in), 2, {in, "would be lost"});
  fs::create_hard_link(in, folder / "b.safetensors");
  fs::create_symlink(in, folder / "c.pth");
  expect_refused(convert(in, folder / "b.safetensors"), 2, {"would be lost"});
  expect_refused(convert(in, folder / "c.pth"), 2, {"would be lost"});
  EXPECT_TRUE(read_text(in) == before);
  expect_refused(convert(in, folder / "out.bin"), 2, {"out.bin", "--to pth"});
  expect_refused(convert(in, folder / "out", {"--to", "tar"}), 2, {"--to tar", "pth, safetensors, resflow, onnx"});
  expect_refused(convert(in, folder / "out.pth", {"--from", "pth"}), 3, {"is safetensors, and --from says pth"});
  expect_refused(convert(in, folder / "out.pth", {"--from", "nothing"}), 2, {"--from nothing"});
  expect_refused(convert(in, folder / "out.pth", {"--fold-batch-norm"}), 2, {"--fold-batch-norm", "only ONNX"});
  expect_refused(convert(in, folder / "out.pth", {"--model", "resnet34"}), 3,
                 {"not those of resnet34 with 3 classes", "missing: layer1.2.conv1.weight", "and 75 more",
                  "It is a resnet18 with 3 classes"});
  expect_refused(convert(in, folder / "out.pth", {"--model", "resnet19"}), 2, {"resnet19", "resnet18"});
  write_text(folder / "two", "a\nb\n");
  expect_refused(convert(in, folder / "out.resflow", {"--classes", folder / "two"}), 3,
                 {"has 2 names, but its resnet18 has 3 outputs"});
  expect_refused(convert(in, folder / "absent/out.pth"), 2, {folder / "absent"});
  expect_refused(convert(folder / "absent.pth", folder / "out.pth"), 3, {"absent.pth"});
  expect_refused(convert("resnet34:IMAGENET1K_V9", folder / "out.pth"), 2, {"IMAGENET1K_V1"});
  write_text(folder / "notes.txt", "no weights");
  expect_refused(convert(folder / "notes.txt", folder / "out.pth"), 3, {"notes.txt"});

  array_named(tensors, "fc.weight") = Array(DType::kF32, {3, 512, 1});
  write_safetensors(tensors, {}, folder / "unfit.safetensors");
  expect_refused(convert(folder / "unfit.safetensors", folder / "out.resflow"), 3,
                 {"is resnet18 with 1,000 classes but for its head: misshapen: ",
                  "fc.weight has f32 (3,512,1), model wants f32 (1000,512)"});
  for (const auto& entry : fs::directory_iterator(folder.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("out")) << entry.path();
}

TEST(ConvertProgram, SaysWhichValuesAreNotFinite) {
  const TemporaryFolder folder;
  std::vector<NamedArray> tensors = made_weights();
  array_named(tensors, "bn1.bias").values<float>()[3] = std::nanf("");
  array_named(tensors, "bn1.bias").values<float>()[4] = HUGE_VALF;
  array_named(tensors, "fc.bias").values<float>()[0] = -HUGE_VALF;
  write_pth(tensors, folder / "a.pth");
  const ProcessResult result = convert(folder / "a.pth", folder / "b.resflow");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("not finite: bn1.bias (1 NaN, 1 infinite), fc.bias (1 infinite)"));
  expect_same(load_checkpoint(folder / "b.resflow").parameters, tensors);
}

}  // namespace
}  // namespace resflow::testing
