#include "io/weights/model_metadata.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/core/error.h"

namespace resflow {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kKeys = {"architecture", "options",      "classes",   "preprocessing",
                                                   "head",         "quantization", "provenance"};

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json options_json(const ModelDescription& model) {
  const ModelDescription usual;
  Json options = Json::object();
  if (model.zero_init_residual != usual.zero_init_residual) options["zero_init_residual"] = model.zero_init_residual;
  if (model.replace_stride_with_dilation != usual.replace_stride_with_dilation)
    options["replace_stride_with_dilation"] = model.replace_stride_with_dilation;
  if (model.groups != usual.groups) options["groups"] = model.groups;
  if (model.width_per_group != usual.width_per_group) options["width_per_group"] = model.width_per_group;
  if (!model.block.empty()) options["block"] = model.block;
  if (!model.layers.empty()) options["layers"] = model.layers;
  if (model.channels != 0) options["channels"] = model.channels;
  if (!model.norm.empty()) options["norm"] = model.norm;
  if (model.norm_groups != 0) options["norm_groups"] = model.norm_groups;
  if (!model.shortcut.empty()) options["shortcut"] = model.shortcut;
  if (!model.stem.empty()) options["stem"] = model.stem;
  if (model.no_residual) options["no_residual"] = true;
  return options;
}

// A value of six digits stays as short as it was typed: 0.485, not the f32's 0.48500001430511475.
Json shortest(const std::vector<float>& values) {
  Json list = Json::array();
  for (const float value : values) list.push_back(Json::parse(fmt::format("{}", value)));
  return list;
}

Json preprocessing_json(const Preprocessing& p) {
  Json json = {{"resize", p.resize},
               {"crop", p.crop},
               {"mean", shortest(p.mean)},
               {"std", shortest(p.std)},
               {"interpolation", p.interpolation}};
  if (p.exif) json["exif"] = true;
  if (p.take_truncated) json["take_truncated"] = true;
  if (p.scale_grey16) json["scale_grey16"] = true;
  return json;
}

Json head_json(const Head& head) {
  return {{"kind", head_name(head.kind)}, {"platt_a", head.platt_a}, {"platt_b", head.platt_b}};
}

Json quantization_json(const Quantization& quantization) {
  Json activations = Json::array();
  for (const auto& [name, low, high] : quantization.activations) activations.push_back(Json::array({name, low, high}));
  return {{"pictures", quantization.pictures}, {"activations", activations}};
}

[[noreturn]] void refuse(const char* why) { throw Json::other_error::create(501, why, nullptr); }

int64_t integer(const Json& json, int64_t low, int64_t high) {
  if (!json.is_number_integer() || json < low || json > high) refuse("no integer in its range");
  return json.get<int64_t>();
}

std::vector<float> floats(const Json& json) {
  std::vector<float> values;
  for (const double value : json.get<std::vector<double>>()) {
    if (!(std::abs(value) <= std::numeric_limits<float>::max())) refuse("no value that fits into 32 bits");
    values.push_back(static_cast<float>(value));
  }
  return values;
}

// These throw Json::exception where it is not as it is written above.
void read_options(const Json& json, ModelDescription& model) {
  constexpr int64_t kHigh = 1 << 20;
  if (!json.is_object()) refuse("no options");
  if (json.contains("zero_init_residual")) json.at("zero_init_residual").get_to(model.zero_init_residual);
  if (json.contains("replace_stride_with_dilation"))
    json.at("replace_stride_with_dilation").get_to(model.replace_stride_with_dilation);
  if (json.contains("groups")) model.groups = integer(json.at("groups"), 0, kHigh);
  if (json.contains("width_per_group")) model.width_per_group = integer(json.at("width_per_group"), 0, kHigh);
  if (json.contains("channels")) model.channels = integer(json.at("channels"), 0, kHigh);
  if (json.contains("norm_groups")) model.norm_groups = integer(json.at("norm_groups"), 0, kHigh);
  if (json.contains("layers")) {
    if (!json.at("layers").is_array()) refuse("no list of layers");
    for (const Json& blocks : json.at("layers")) model.layers.push_back(integer(blocks, 0, kHigh));
  }
  if (json.contains("no_residual")) json.at("no_residual").get_to(model.no_residual);
  // Words that are not known, and layers that cannot be, are refused aloud: see from_texts().
  for (auto [key, word] : {std::pair("block", &model.block), std::pair("norm", &model.norm),
                           std::pair("shortcut", &model.shortcut), std::pair("stem", &model.stem)})
    if (json.contains(key)) json.at(key).get_to(*word);
}

Preprocessing read_preprocessing(const Json& json) {
  Preprocessing p;
  p.resize = static_cast<int>(integer(json.at("resize"), 1, kMaxPictureSide));
  p.crop = static_cast<int>(integer(json.at("crop"), 1, kMaxPictureSide));
  p.mean = floats(json.at("mean"));
  p.std = floats(json.at("std"));
  json.at("interpolation").get_to(p.interpolation);
  p.exif = json.value("exif", false);
  p.take_truncated = json.value("take_truncated", false);
  p.scale_grey16 = json.value("scale_grey16", false);
  // Pictures to be resized otherwise are refused aloud: see from_texts().
  Preprocessing bilinear = p;
  bilinear.interpolation = Preprocessing().interpolation;
  try {
    check_preprocessing(bilinear);
  } catch (const Error&) {
    refuse("no preprocessing");
  }
  return p;
}

Head read_head(const Json& json) {
  Head head;
  try {
    head.kind = head_of_name(json.at("kind").get<std::string>());
    json.at("platt_a").get_to(head.platt_a);
    json.at("platt_b").get_to(head.platt_b);
    check_head(head, static_cast<int64_t>(head.platt_a.size()));
  } catch (const Error&) {
    refuse("no head");
  }
  return head;
}

Quantization read_quantization(const Json& json) {
  Quantization quantization;
  constexpr int64_t kMostPictures = int64_t{1} << 40;
  quantization.pictures = integer(json.at("pictures"), 1, kMostPictures);
  for (const Json& range : json.at("activations")) {
    if (!range.is_array() || range.size() != 3) refuse("no range");
    quantization.activations.push_back({range[0].get<std::string>(), range[1].get<float>(), range[2].get<float>()});
  }
  try {
    check_quantization(quantization);
  } catch (const Error&) {
    refuse("no range");
  }
  return quantization;
}

void read_text(const std::string& key, const std::string& text, ModelMetadata& metadata, ModelDescription& model) {
  if (key == "architecture") {
    model.architecture = text;
    return;
  }
  const Json json = Json::parse(text);
  if (key == "options") {
    ModelDescription read = model;
    read_options(json, read);
    model = std::move(read);
  } else if (key == "classes") {
    metadata.classes = json.get<std::vector<std::string>>();
  } else if (key == "preprocessing") {
    metadata.preprocessing = read_preprocessing(json);
  } else if (key == "head") {
    metadata.head = read_head(json);
  } else if (key == "quantization") {
    metadata.quantization = read_quantization(json);
  } else {
    metadata.provenance = json.get<Texts>();
  }
}

}  // namespace

ModelMetadata metadata_of(const Checkpoint& checkpoint) {
  return {.model = checkpoint.model,
          .classes = checkpoint.classes,
          .preprocessing = checkpoint.preprocessing,
          .head = checkpoint.head,
          .quantization = checkpoint.quantization,
          .provenance = checkpoint.provenance};
}

Texts to_texts(const ModelMetadata& metadata) {
  Texts texts;
  if (metadata.model) {
    texts.emplace_back("architecture", metadata.model->architecture);
    const Json options = options_json(*metadata.model);
    if (!options.empty()) texts.emplace_back("options", dump(options));
  }
  if (metadata.classes) texts.emplace_back("classes", dump(*metadata.classes));
  if (metadata.preprocessing) texts.emplace_back("preprocessing", dump(preprocessing_json(*metadata.preprocessing)));
  if (metadata.head.kind != Head::Kind::kSoftmax) texts.emplace_back("head", dump(head_json(metadata.head)));
  if (metadata.quantization) texts.emplace_back("quantization", dump(quantization_json(*metadata.quantization)));
  if (!metadata.provenance.empty()) {
    Json list = Json::array();
    for (const auto& [key, text] : metadata.provenance) list.push_back(Json::array({key, text}));
    texts.emplace_back("provenance", dump(list));
  }
  return texts;
}

bool is_model_key(std::string_view key) { return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end(); }

ModelMetadata from_texts(const Texts& texts, std::vector<std::string>* foreign) {
  ModelMetadata metadata;
  ModelDescription model;
  for (const auto& [key, text] : texts) {
    if (!is_model_key(key)) continue;
    try {
      read_text(key, text, metadata, model);
    } catch (const Json::exception&) {
      if (foreign != nullptr) foreign->push_back(key);
    }
  }
  if (!model.architecture.empty()) {
    check_model(model);
    metadata.model = model;
  }
  if (metadata.preprocessing) check_preprocessing(*metadata.preprocessing);
  return metadata;
}

}  // namespace resflow
