#include "io/checkpoint/manifest.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include "io/core/error.h"

namespace resflow {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// "training: field 13", of `message` and of all messages in it but those whose field is called `passed_over`.
void add_unknown_fields(const Message& message, const std::string& where, const std::string& passed_over,
                        std::vector<std::string>& found) {
  const google::protobuf::Reflection& fields = *message.GetReflection();
  const auto& unknown = fields.GetUnknownFields(message);
  if (!unknown.empty()) found.push_back(fmt::format("field {} of its {}", unknown.field(0).number(), where));
  std::vector<const FieldDescriptor*> present;
  fields.ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->name() == passed_over) continue;
    const int count = field->is_repeated() ? fields.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i)
      add_unknown_fields(
          field->is_repeated() ? fields.GetRepeatedMessage(message, field, i) : fields.GetMessage(message, field),
          field->name(), passed_over, found);
  }
}

std::vector<std::string> unknown_fields(const proto::TrainingState& training) {
  std::vector<std::string> found;
  add_unknown_fields(training, "training", "", found);
  return found;
}

void to_proto(const ModelDescription& model, proto::Model& to) {
  to.set_architecture(model.architecture);
  to.set_num_classes(model.num_classes);
  to.set_zero_init_residual(model.zero_init_residual);
  for (const bool dilate : model.replace_stride_with_dilation) to.add_replace_stride_with_dilation(dilate);
  to.set_groups(model.groups);
  to.set_width_per_group(model.width_per_group);
  to.set_block(model.block);
  to.mutable_layers()->Add(model.layers.begin(), model.layers.end());
  to.set_channels(model.channels);
  to.set_norm(model.norm);
  to.set_norm_groups(model.norm_groups);
  to.set_shortcut(model.shortcut);
  to.set_stem(model.stem);
  to.set_no_residual(model.no_residual);
}

ModelDescription from_proto(const proto::Model& from) {
  ModelDescription model;
  model.architecture = from.architecture();
  model.num_classes = from.num_classes();
  model.zero_init_residual = from.zero_init_residual();
  const auto& dilate = from.replace_stride_with_dilation();
  model.replace_stride_with_dilation.assign(dilate.begin(), dilate.end());
  model.groups = from.groups();
  model.width_per_group = from.width_per_group();
  model.block = from.block();
  model.layers.assign(from.layers().begin(), from.layers().end());
  model.channels = from.channels();
  model.norm = from.norm();
  model.norm_groups = from.norm_groups();
  model.shortcut = from.shortcut();
  model.stem = from.stem();
  model.no_residual = from.no_residual();
  check_model(model);
  return model;
}

void to_proto(const Preprocessing& preprocessing, proto::Preprocessing& to) {
  to.set_resize(preprocessing.resize);
  to.set_crop(preprocessing.crop);
  to.mutable_mean()->Add(preprocessing.mean.begin(), preprocessing.mean.end());
  to.mutable_std()->Add(preprocessing.std.begin(), preprocessing.std.end());
  to.set_interpolation(preprocessing.interpolation);
  to.set_exif(preprocessing.exif);
  to.set_take_truncated(preprocessing.take_truncated);
  to.set_scale_grey16(preprocessing.scale_grey16);
}

Preprocessing from_proto(const proto::Preprocessing& from) {
  Preprocessing preprocessing;
  preprocessing.resize = from.resize();
  preprocessing.crop = from.crop();
  preprocessing.mean.assign(from.mean().begin(), from.mean().end());
  preprocessing.std.assign(from.std().begin(), from.std().end());
  if (!from.interpolation().empty()) preprocessing.interpolation = from.interpolation();
  preprocessing.exif = from.exif();
  preprocessing.take_truncated = from.take_truncated();
  preprocessing.scale_grey16 = from.scale_grey16();
  check_preprocessing(preprocessing);
  return preprocessing;
}

void to_proto(const Head& head, proto::Head& to) {
  to.set_kind(head_name(head.kind));
  to.mutable_platt_a()->Add(head.platt_a.begin(), head.platt_a.end());
  to.mutable_platt_b()->Add(head.platt_b.begin(), head.platt_b.end());
}

Head from_proto(const proto::Head& from, int64_t classes) {
  Head head;
  head.kind = head_of_name(from.kind());
  head.platt_a.assign(from.platt_a().begin(), from.platt_a().end());
  head.platt_b.assign(from.platt_b().begin(), from.platt_b().end());
  check_head(head, classes);
  return head;
}

void to_proto(const Quantization& quantization, proto::Quantization& to) {
  to.set_pictures(quantization.pictures);
  for (const ActivationRange& range : quantization.activations) {
    proto::ActivationRange& entry = *to.add_activations();
    entry.set_name(range.name);
    entry.set_low(range.low);
    entry.set_high(range.high);
  }
}

Quantization from_proto(const proto::Quantization& from) {
  Quantization quantization{.pictures = from.pictures(), .activations = {}};
  for (const auto& range : from.activations())
    quantization.activations.push_back({range.name(), range.low(), range.high()});
  check_quantization(quantization);
  return quantization;
}

void to_proto(const EpochRecord& record, proto::EpochRecord& to) {
  to.set_epoch(record.epoch);
  to.set_train_loss(record.train_loss);
  to.set_train_accuracy(record.train_accuracy);
  to.set_val_loss(record.val_loss);
  to.set_val_accuracy(record.val_accuracy);
  to.set_learning_rate(record.learning_rate);
  to.set_seconds(record.seconds);
  to.set_unreadable(record.left_out.unreadable);
  to.set_broken(record.left_out.broken);
}

EpochRecord from_proto(const proto::EpochRecord& from) {
  return {.epoch = from.epoch(),
          .train_loss = from.train_loss(),
          .train_accuracy = from.train_accuracy(),
          .val_loss = from.val_loss(),
          .val_accuracy = from.val_accuracy(),
          .learning_rate = from.learning_rate(),
          .seconds = from.seconds(),
          .left_out = {.unreadable = from.unreadable(), .broken = from.broken()}};
}

void to_proto(const TrainingState& training, proto::TrainingState& to) {
  to.set_seed(training.seed);
  to.set_epoch(training.epoch);
  to.set_next_batch(training.next_batch);
  to.set_step(training.step);
  to.set_epoch_loss_sum(training.epoch_loss_sum);
  to.set_epoch_correct(training.epoch_correct);
  to.set_epoch_samples(training.epoch_samples);
  to.set_epoch_seconds(training.epoch_seconds);
  to.set_best_val_accuracy(training.best_val_accuracy);
  for (const auto& record : training.history) to_proto(record, *to.add_history());
  for (const auto& [name, value] : training.options) {
    proto::RunOption& option = *to.add_options();
    option.set_name(name);
    option.set_value(value);
  }
  to.set_fingerprint(training.fingerprint);
  to.set_epoch_unreadable(training.epoch_left_out.unreadable);
  to.set_epoch_broken(training.epoch_left_out.broken);
  to.set_files(training.files);
  for (const auto& [name, reason] : training.broken) {
    proto::BrokenPicture& broken = *to.add_broken();
    broken.set_name(name);
    broken.set_reason(reason);
  }
  to.set_broken_count(training.broken_count);
}

TrainingState from_proto(const proto::TrainingState& from) {
  TrainingState training;
  training.seed = from.seed();
  training.epoch = from.epoch();
  training.next_batch = from.next_batch();
  training.step = from.step();
  training.epoch_loss_sum = from.epoch_loss_sum();
  training.epoch_correct = from.epoch_correct();
  training.epoch_samples = from.epoch_samples();
  training.epoch_seconds = from.epoch_seconds();
  training.best_val_accuracy = from.best_val_accuracy();
  for (const auto& record : from.history()) training.history.push_back(from_proto(record));
  for (const auto& option : from.options()) training.options.emplace_back(option.name(), option.value());
  training.fingerprint = from.fingerprint();
  training.epoch_left_out = {.unreadable = from.epoch_unreadable(), .broken = from.epoch_broken()};
  training.files = from.files();
  for (const auto& broken : from.broken()) training.broken.emplace_back(broken.name(), broken.reason());
  training.broken_count = from.broken_count();
  training.unknown = unknown_fields(from);
  check_training_state(training);
  return training;
}

}  // namespace

void to_manifest(const Checkpoint& checkpoint, proto::Manifest& manifest) {
  to_proto(checkpoint.model, *manifest.mutable_model());
  for (const auto& name : checkpoint.classes) manifest.add_classes(name);
  to_proto(checkpoint.preprocessing, *manifest.mutable_preprocessing());
  if (checkpoint.head.kind != Head::Kind::kSoftmax) to_proto(checkpoint.head, *manifest.mutable_head());
  if (checkpoint.quantization) to_proto(*checkpoint.quantization, *manifest.mutable_quantization());
  manifest.set_optimizer_name(checkpoint.optimizer_name);
  to_proto(checkpoint.training, *manifest.mutable_training());
  for (const auto& [key, text] : checkpoint.provenance) {
    proto::Provenance& entry = *manifest.add_provenance();
    entry.set_key(key);
    entry.set_text(text);
  }
}

Checkpoint from_manifest(const proto::Manifest& manifest) {
  Checkpoint checkpoint;
  checkpoint.model = from_proto(manifest.model());
  checkpoint.classes.assign(manifest.classes().begin(), manifest.classes().end());
  checkpoint.preprocessing = from_proto(manifest.preprocessing());
  if (manifest.has_head()) checkpoint.head = from_proto(manifest.head(), checkpoint.model.num_classes);
  if (manifest.has_quantization()) checkpoint.quantization = from_proto(manifest.quantization());
  checkpoint.optimizer_name = manifest.optimizer_name();
  checkpoint.training = from_proto(manifest.training());
  for (const auto& entry : manifest.provenance()) checkpoint.provenance.emplace_back(entry.key(), entry.text());
  return checkpoint;
}

std::string unknown_field(const proto::Manifest& manifest) {
  std::vector<std::string> found;
  add_unknown_fields(manifest, "manifest", "training", found);
  return found.empty() ? "" : found.front();
}

TensorEntry from_entry(const proto::Tensor& entry) {
  return {entry.name(), dtype_from_name(entry.dtype()), Dims(entry.dims().begin(), entry.dims().end())};
}

}  // namespace resflow
