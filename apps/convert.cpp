// resflow convert: a file of weights in another format.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/inspect/check_onnx.h"
#include "apps/inspect/weights_diff.h"
#include "apps/machine/threads.h"
#include "apps/machine/versions.h"
#include "apps/model/model_file.h"
#include "apps/model/pretrained.h"
#include "apps/options/model_file_options.h"
#include "graph/model/export_onnx.h"
#include "graph/model/model_zoo.h"
#include "graph/model/trained_model.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/outputs.h"
#include "io/pth/pth.h"
#include "io/weights/safetensors.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

struct ConvertOptions {
  std::string in, out, from, to;
  ModelFileOptions file;
  bool fold_batch_norm = false, check = false;
};

constexpr WeightsFormat kFormats[] = {WeightsFormat::kPth, WeightsFormat::kSafetensors, WeightsFormat::kCheckpoint,
                                      WeightsFormat::kOnnx};

WeightsFormat format_named(const std::string& option, const std::string& name) {
  std::string known;
  for (const WeightsFormat format : kFormats) {
    if (weights_format_name(format) == name) return format;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", weights_format_name(format));
  }
  throw usage_error("{} {}: is no format; wanted one of {}", option, name, known);
}

WeightsFormat target_format(const ConvertOptions& o) {
  if (!o.to.empty()) return format_named("--to", o.to);
  if (const auto format = weights_format_of_name(o.out)) return *format;
  throw usage_error("{}: its ending names no format; --to pth, --to safetensors, --to resflow or --to onnx does",
                    o.out);
}

void check_paths(const ConvertOptions& o) {
  std::error_code ignored;
  if (o.in == o.out || fs::equivalent(o.in, o.out, ignored))
    throw usage_error("{}: is the file to convert, and would be lost; give the new one another name", o.out);
  check_outputs({{"OUT", o.out}}, {o.in});
}

void check_source_format(const ConvertOptions& o, WeightsFormat is) {
  if (o.from.empty()) return;
  const WeightsFormat wanted = format_named("--from", o.from);
  if (is != wanted)
    throw data_error("{}: is {}, and --from says {}", o.in, weights_format_name(is), weights_format_name(wanted));
}

Texts extended_provenance(const ModelFacts& facts) {
  Texts provenance = facts.provenance;
  const WeightsSummary& summary = facts.summary;
  provenance.emplace_back("converted from", fmt::format("{} ({}{})", fs::path(facts.path).filename().string(),
                                                        weights_format_name(summary.format),
                                                        summary.variant.empty() ? "" : ", " + summary.variant));
  provenance.emplace_back("made by", "resflow " + resflow_version());
  return provenance;
}

// Reads the file again: it must hold the values that it was written with.
void check_written(const std::vector<NamedArray>& written, const ConvertOptions& o, WeightsFormat to) {
  if (!o.check) return;
  const std::vector<NamedArray> read =
      to == WeightsFormat::kCheckpoint ? load_checkpoint(o.out).parameters : read_weights(o.out).tensors;
  if (!diff_weights(written, read).same())
    throw system_error("{}: does not read back as it was written: is the disk broken?", o.out);
  print_out("checked: {} of {} read back equal to the bit\n", plural(written.size(), "tensor", "tensors"), o.out);
}

void report(const ConvertOptions& o, WeightsFormat to, const ModelFacts& facts) {
  const ModelDescription& model = facts.match.description;
  std::error_code none;  // a device or a pipe has no size
  const uintmax_t bytes = fs::file_size(o.out, none);
  print_out("wrote {} ({}, {}): {}\n", o.out, weights_format_name(to),
            none ? "no file" : format_bytes(static_cast<double>(bytes)),
            facts.match.fit.fits()
                ? fmt::format("{} with {}", to_text(model), plural(model.num_classes, "class", "classes"))
                : fmt::format("{}, of no model that resflow knows",
                              plural(facts.summary.tensors.size(), "tensor", "tensors")));
}

// Notes what the file says and the format `to` has no place for.
void note_left_out(const ConvertOptions& o, WeightsFormat to, const ModelFacts& facts, const Checkpoint* own,
                   Listener& listener) {
  std::vector<std::string> notes;
  if (own != nullptr && (!own->optimizer_name.empty() || !own->training.history.empty()))
    notes.push_back(fmt::format("{}: without the optimizer's state and the run's history: a run goes on from {} alone",
                                o.out, facts.path));
  if (!facts.summary.found_under.empty())
    notes.push_back(
        fmt::format("{}: only what stands under \"{}\" is taken; an optimizer's state or other values beside "
                    "it are left out",
                    facts.path, facts.summary.found_under));
  if (to == WeightsFormat::kPth && (facts.classes || facts.preprocessing || !facts.summary.metadata.empty()))
    notes.push_back(
        fmt::format("{}: .pth has no place for class names, preprocessing and other texts: left out", o.out));
  if (facts.quantization && to == WeightsFormat::kPth)
    notes.push_back(
        fmt::format("{}: .pth has no place for the ranges of a quantized model: it is no longer one", o.out));
  if (facts.head.kind != Head::Kind::kSoftmax && to == WeightsFormat::kPth)
    notes.push_back(fmt::format(
        "{}: its outputs are the decision values of an SVM: .pth has no place for what makes probabilities of "
        "them, and a softmax does not; the largest is the class",
        o.out));
  if (facts.head.kind != Head::Kind::kSoftmax && to == WeightsFormat::kOnnx)
    notes.push_back(
        fmt::format("{}: its outputs are the decision values of an SVM, and a softmax makes no probabilities of them; "
                    "the metadata \"head\" has Platt's A and B of each class, and the largest is the class",
                    o.out));
  say_notes(notes, listener);
}

// Writes the tensors as they are, of any model.
int convert_tensors(const ConvertOptions& o, WeightsFormat to, Listener& listener) {
  ModelFileOptions options = o.file;
  options.by_hash = to == WeightsFormat::kSafetensors;  // .pth could not say what the hash tells
  const ModelFacts facts = model_facts(o.in, options, listener);
  check_source_format(o, facts.summary.format);
  if (!options.architecture.empty() || options.structure != StructureOptions()) require_model(facts, options);
  std::vector<NamedArray> tensors;
  std::optional<Checkpoint> own;
  if (facts.summary.format == WeightsFormat::kCheckpoint) {
    own = load_checkpoint(facts.path);
    tensors = std::move(own->parameters);
  } else {
    tensors = read_model_values(facts);
  }
  say_notes(facts.notes, listener);
  note_left_out(o, to, facts, own ? &*own : nullptr, listener);
  if (to == WeightsFormat::kPth) {
    write_pth(tensors, o.out);
  } else {
    ModelMetadata metadata = {.model = {},
                              .classes = facts.classes,
                              .preprocessing = facts.preprocessing,
                              .head = facts.head,
                              .quantization = facts.quantization,
                              .provenance = extended_provenance(facts)};
    if (facts.match.fit.fits()) metadata.model = facts.match.description;
    Metadata texts;
    for (const auto& text : facts.summary.metadata)
      if (!is_model_key(text.first)) texts.push_back(text);
    for (const auto& text : to_texts(metadata)) texts.push_back(text);
    write_safetensors(tensors, texts, o.out);
  }
  report(o, to, facts);
  check_written(tensors, o, to);
  return 0;
}

int convert_to_checkpoint(const ConvertOptions& o, Listener& listener) {
  ModelFile file = load_model_file(o.in, o.file, listener);
  check_source_format(o, file.facts.summary.format);
  say_notes(file.notes, listener);
  if (file.facts.summary.format != WeightsFormat::kCheckpoint)
    note_left_out(o, WeightsFormat::kCheckpoint, file.facts, nullptr, listener);
  file.checkpoint.provenance = extended_provenance(file.facts);
  save_checkpoint(file.checkpoint, o.out);
  report(o, WeightsFormat::kCheckpoint, file.facts);
  check_written(file.checkpoint.parameters, o, WeightsFormat::kCheckpoint);
  return 0;
}

// Runs the written file beside resflow, where there is an onnxruntime.
void check_written_onnx(const ConvertOptions& o, Model& model, const Preprocessing& preprocessing, Listener& listener) {
  if (!o.check) return;
  const OnnxCheck check = check_onnx(o.out, model, preprocessing);
  if (!check.ran) {
    listener.note(fmt::format("{}: not checked: {}", o.out, check.reason));
    return;
  }
  if (!check.agrees())
    throw internal_error(
        "{}: onnxruntime {} and resflow differ by {:.2g} of the largest logit, at most {:.2g} is right{}", o.out,
        check.version, check.worst_difference, OnnxCheck::kTolerance, check.same_top1 ? "" : ", and in the best class");
  print_out("checked: onnxruntime {} gives the same on {}, logits within {:.2g} of the largest\n", check.version,
            plural(check.pictures, "picture", "pictures"), check.worst_difference);
}

int convert_to_onnx(const ConvertOptions& o, Listener& listener) {
  ModelFile file = load_model_file(o.in, o.file, listener);
  check_source_format(o, file.facts.summary.format);
  say_notes(file.notes, listener);
  note_left_out(o, WeightsFormat::kOnnx, file.facts, &file.checkpoint, listener);
  const int threads = cpu_limits().usable();
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  const ModelMetadata metadata = {.model = file.checkpoint.model,
                                  .classes = file.checkpoint.classes,
                                  .preprocessing = file.checkpoint.preprocessing,
                                  .head = file.checkpoint.head,
                                  .quantization = file.checkpoint.quantization,
                                  .provenance = extended_provenance(file.facts)};
  const Preprocessing preprocessing = file.checkpoint.preprocessing;
  const TrainedModel trained = make_trained_model(std::move(file.checkpoint), file.facts.path, compute);
  export_onnx(*trained.model, metadata, {.fold_batch_norm = o.fold_batch_norm, .producer_version = resflow_version()},
              o.out);
  report(o, WeightsFormat::kOnnx, file.facts);
  check_written_onnx(o, *trained.model, preprocessing, listener);
  return 0;
}

int convert(const ConvertOptions& o) {
  const WeightsFormat to = target_format(o);
  if (!o.from.empty()) format_named("--from", o.from);
  check_paths(o);
  if (o.fold_batch_norm && to != WeightsFormat::kOnnx)
    throw usage_error("--fold-batch-norm: only ONNX files have batch norm folded, not {}", weights_format_name(to));
  TerminalListener listener;
  switch (to) {
    case WeightsFormat::kCheckpoint:
      return convert_to_checkpoint(o, listener);
    case WeightsFormat::kOnnx:
      return convert_to_onnx(o, listener);
    case WeightsFormat::kPth:
    case WeightsFormat::kSafetensors:
      break;
  }
  return convert_tensors(o, to, listener);
}

}  // namespace

Action add_convert(CLI::App& command) {
  auto o = std::make_shared<ConvertOptions>();
  command
      .add_option("IN", o->in,
                  "a file of weights: .pth, .safetensors, .resflow; or torchvision's by name, resnet34:IMAGENET1K_V1")
      ->required();
  command.add_option("OUT", o->out, "the file to write, whole or not at all; one that is there is replaced")
      ->required();
  command.add_option("--to", o->to, "pth, safetensors, resflow or onnx [by the ending of OUT]");
  command.add_option("--from", o->from, "refuse IN where it is not pth, safetensors or resflow [what it is]");
  add_model_file_options(command, o->file);
  add_preprocessing_options(command, o->file);
  command.add_flag("--fold-batch-norm", o->fold_batch_norm, "ONNX: fold batch norm into the convolutions");
  command.add_flag("--check", o->check,
                   "read OUT back and compare; ONNX: run it in onnxruntime beside resflow and compare the logits");
  command.footer(
      ".pth and .safetensors take any tensors, bit by bit; .resflow and .onnx take a model that resflow knows.\n"
      "Class names, preprocessing and where the weights come from stay with .safetensors, .resflow and .onnx.\n\n"
      "Example:\n"
      "  resflow convert run/best.resflow model.safetensors\n"
      "  resflow convert resnet34-b627a593.pth resnet34.resflow --classes imagenet\n"
      "  resflow convert run/best.resflow model.onnx --fold-batch-norm --check");
  return [o] {
    const int code = convert(*o);
    return code;
  };
}

}  // namespace resflow
