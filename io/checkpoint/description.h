// What a file of weights says about its model beside the weights: structure, preprocessing, head, quantization.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resflow {

// What is needed to build the network again (graph/model/model_zoo.h reads it). A member that is empty or 0 is what the
// architecture says.
struct ModelDescription {
  std::string architecture;  // "resnet34"; "resnet": `block` and `layers` say it
  int64_t num_classes = 1000;
  bool zero_init_residual = false;
  std::vector<bool> replace_stride_with_dilation = {false, false, false};
  int64_t groups = 0;
  int64_t width_per_group = 0;
  std::string block = {};            // "basic" or "bottleneck", of "resnet" alone
  std::vector<int64_t> layers = {};  // blocks of each stage, of "resnet" alone
  int64_t channels = 0;              // of the stem and, in units of planes, of the first stage
  std::string norm = {};             // "batch" (what it is where it is empty) or "group"
  int64_t norm_groups = 0;           // of norm "group"; 0: 32, or fewer where that does not divide the channels
  std::string shortcut = {};         // "projection" or "padding": graph/model/resnet.h
  std::string stem = {};             // "imagenet" or "cifar": graph/model/resnet.h
  bool no_residual = false;          // the plain network, without shortcuts
  bool operator==(const ModelDescription&) const = default;
};

inline constexpr int64_t kMostStages = 8;
inline constexpr int64_t kMostBlocks = 1000;  // of a stage

// Throws Error{kData} for numbers and words that no model can have. Which architectures there are is not looked at.
void check_model(const ModelDescription& model);

// How a photograph becomes the network's input when it is scored.
struct Preprocessing {
  int resize = 256;  // short side
  int crop = 224;    // centre crop, square
  std::vector<float> mean = {0.485F, 0.456F, 0.406F};
  std::vector<float> std = {0.229F, 0.224F, 0.225F};
  std::string interpolation = "bilinear";  // Pillow's, with antialiasing; or "bicubic"
  bool exif = false;                       // first turned upright, as its EXIF orientation says
  bool take_truncated = false;             // one that ends early is taken as far as it goes, as Pillow does if told to
  bool scale_grey16 = false;               // 16-bit grey is given by its high byte, and not clipped as Pillow does
  bool operator==(const Preprocessing&) const = default;
};

// The longest side to which pictures are resized: more than any JPEG has.
inline constexpr int kMaxPictureSide = 1 << 16;
// Of a crop, which is the network's input: more than anybody trains with, and already gigabytes a picture.
inline constexpr int kMaxCrop = 4096;
// Of crops whose side is `part` of the resized short side: the largest whole number of pixels of which `image_size` is
// at least that part, as timm's crop_pct has it (224 at 0.875: 256; 288 at 0.95: 303). REQUIRES: part above 0.
int resize_of_part(int image_size, double part);
// Throws Error{kData} for sizes, means, deviations and interpolations with which no picture can be prepared.
void check_preprocessing(const Preprocessing& preprocessing);
// The same for a network whose input is `image_size` pixels a side: the part of the picture that it sees stays.
// Throws Error{kData} where pictures would have to be resized beyond kMaxPictureSide.
Preprocessing scaled_preprocessing(const Preprocessing& preprocessing, int image_size);

// How the network's outputs become probabilities.
struct Head {
  enum class Kind {
    kSoftmax,    // outputs are logits: p = softmax(x)
    kOneVsRest,  // outputs are decision values of a classifier a class: p_k = q_k / sum q, with Platt's sigmoid
                 // q_k = 1 / (1 + exp(platt_a[k] x_k + platt_b[k]))
  };
  Kind kind = Kind::kSoftmax;
  std::vector<double> platt_a = {}, platt_b = {};  // kOneVsRest: one a class
  bool operator==(const Head&) const = default;
};
// "softmax", "one_vs_rest": as files have it.
std::string head_name(Head::Kind kind);
Head::Kind head_of_name(const std::string& name);  // Throws Error{kData} for another.
// Throws Error{kData} unless there are as many finite A and B as the kind wants.
void check_head(const Head& head, int64_t classes);

// What scoring in 8 bits needs to know beside the weights: the range of values of each activation, as seen in a sample
// of pictures (graph/plan/calibration.h). Names are those of the ops that make them: "input", "conv1",
// "layer1.0.conv1".
struct ActivationRange {
  std::string name;
  float low = 0, high = 0;
  bool operator==(const ActivationRange&) const = default;
};
struct Quantization {
  int64_t pictures = 0;  // of the sample
  std::vector<ActivationRange> activations;
  bool operator==(const Quantization&) const = default;
};
// Throws Error{kData} for a range that is none, and where two have the same name.
void check_quantization(const Quantization& quantization);

}  // namespace resflow
