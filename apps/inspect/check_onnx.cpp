#include "apps/inspect/check_onnx.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "apps/data/demo_photos.h"
#include "apps/machine/python_script.h"
#include "graph/plan/plan.h"
#include "io/core/error.h"
#include "io/files/file.h"
#include "pipeline/pixels/normalize.h"
#include "pipeline/pixels/resize.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

// One picture alone and three together: the batch is the run's to decide.
constexpr int64_t kBatches[] = {1, 3};

// arguments: the model, a file of pixels, the file for the logits, the pictures' side, the batches
constexpr const char* kScript = R"(
import numpy, onnxruntime
print(onnxruntime.__version__, flush=True)
model, pixels, logits, side, *batches = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
pictures = numpy.fromfile(pixels, numpy.float32).reshape(-1, 3, int(side), int(side))
with open(logits, "wb") as file:
    for rows in map(int, batches):
        file.write(session.run(["logits"], {"input": pictures[:rows]})[0].astype(numpy.float32).tobytes())
        pictures = pictures[rows:]
)";

int64_t picture_count() { return std::accumulate(std::begin(kBatches), std::end(kBatches), int64_t{0}); }

// (pictures,3,crop,crop) planar f32.
std::vector<float> draw_pixels(const Preprocessing& preprocessing) {
  const Recipe recipe = Recipe::eval(preprocessing);
  const Normalizer normalizer(recipe.mean, recipe.std);
  const auto side = static_cast<size_t>(recipe.size);
  std::vector<float> pixels(static_cast<size_t>(picture_count()) * 3 * side * side);
  std::vector<uint8_t> small(3 * side * side);
  Resizer resizer;
  for (size_t i = 0; i < static_cast<size_t>(picture_count()); ++i) {
    const Image photo = draw_demo_photo(static_cast<int>(i % demo_classes().size()), i);
    const Rect all = {.left = 0, .top = 0, .width = recipe.size, .height = recipe.size};
    resizer.plan(photo.width(), photo.height(), recipe.size, recipe.size, all);
    resizer.run(photo, small.data(), 3 * side);
    normalizer.run(small.data(), recipe.size, recipe.size, false, pixels.data() + i * 3 * side * side);
  }
  return pixels;
}

std::vector<float> resflow_logits(Model& model, const std::vector<float>& pixels, int side) {
  const auto classes = static_cast<size_t>(model.description().num_classes);
  Plan plan(model, {.batch = *std::max_element(std::begin(kBatches), std::end(kBatches)),
                    .height = side,
                    .width = side,
                    .mode = Mode::kEval});
  std::vector<float> logits;
  const float* at = pixels.data();
  for (const int64_t rows : kBatches) {
    const auto batch = plan.forward(at, rows).first(static_cast<size_t>(rows) * classes);
    logits.insert(logits.end(), batch.begin(), batch.end());
    at += rows * 3 * side * side;
  }
  return logits;
}

std::string interpreter(const std::string& python) {
  if (!python.empty()) return python;
  const char* named = std::getenv("RESFLOW_PYTHON");
  return named != nullptr && *named != '\0' ? named : "python3";
}

std::vector<float> read_floats(const std::string& path) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer);
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

void compare(std::span<const float> ours, std::span<const float> theirs, OnnxCheck& check) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(ours[i])));
    const double d = std::abs(static_cast<double>(ours[i]) - theirs[i]);
    difference = std::isfinite(d) ? std::max(difference, d) : std::numeric_limits<double>::infinity();
    if (!std::isfinite(difference)) break;
  }
  const double relative = difference > 0 ? difference / largest : 0;
  check.worst_difference = std::max(check.worst_difference, relative);
  const auto best = std::max_element(theirs.begin(), theirs.end()) - theirs.begin();
  const double behind =
      static_cast<double>(*std::max_element(ours.begin(), ours.end())) - ours[static_cast<size_t>(best)];
  check.same_top1 = check.same_top1 && behind <= OnnxCheck::kTolerance * largest;
}

}  // namespace

OnnxCheck check_onnx(const std::string& onnx_path, Model& model, const Preprocessing& preprocessing,
                     const std::string& python) {
  OnnxCheck check;
  const std::vector<float> pixels = draw_pixels(preprocessing);
  const std::vector<float> ours = resflow_logits(model, pixels, preprocessing.crop);
  if (!std::all_of(ours.begin(), ours.end(), [](float x) { return std::isfinite(x); })) {
    check.reason = "resflow's own logits are not finite, so there is nothing to compare with";
    return check;
  }

  const ScratchFolder folder;
  const std::string pixels_file = folder / "pixels", logits_file = folder / "logits";
  replace_file(pixels_file, {reinterpret_cast<const uint8_t*>(pixels.data()), pixels.size() * sizeof(float)});
  std::vector<std::string> arguments = {onnx_path, pixels_file, logits_file, std::to_string(preprocessing.crop)};
  for (const int64_t rows : kBatches) arguments.push_back(std::to_string(rows));
  const std::string program = interpreter(python);
  const PythonRun run = run_python_script(program, kScript, arguments, folder);
  const std::string last_words = run.last_words.empty() ? run.why : run.last_words;
  static constexpr const char* kAdvice = "RESFLOW_PYTHON names a Python that has onnxruntime";
  if (!run.started) {
    check.reason = fmt::format("{} cannot be started ({}): {}", program, run.why, kAdvice);
    return check;
  }
  // Nothing is printed before onnxruntime is there.
  if (run.out.empty()) {
    check.reason = fmt::format("{} has no onnxruntime that works ({}): {}", program, last_words, kAdvice);
    return check;
  }
  check.version = run.out.substr(0, run.out.find('\n'));
  if (!run.succeeded) throw data_error("{}: onnxruntime {} does not run it: {}", onnx_path, check.version, last_words);

  const std::vector<float> theirs = read_floats(logits_file);
  if (theirs.size() != ours.size()) {
    throw data_error("{}: onnxruntime {} gives {} logits for {} pictures, wanted {}: is it another model's file?",
                     onnx_path, check.version, theirs.size(), picture_count(), ours.size());
  }
  check.ran = true;
  check.pictures = static_cast<int>(picture_count());
  const size_t classes = ours.size() / static_cast<size_t>(picture_count());
  for (size_t i = 0; i < ours.size(); i += classes)
    compare(std::span(ours).subspan(i, classes), std::span(theirs).subspan(i, classes), check);
  return check;
}

}  // namespace resflow
