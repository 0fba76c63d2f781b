// In which numbers a network is trained (f32, bf16) or scored. Parameters keep f32 values whatever a Plan computes in.
//
// f32    all of it.
// bf16   activations, and in training their gradients, but for the head's; sums, biases and parameters' gradients are
//        f32. Convolutions multiply bf16, or f32 where the Winograd kernels (ops/kernels/winograd.h) are faster.
// int8   convolutions read and write 8 bits, u8 after a ReLU and s8 else, with one scale an edge; weights are s8 with a
//        scale an output channel; sums are whole numbers of 32 bits, the bias is f32. Max pooling in 8 bits, global
//        average pool and head in f32.
#pragma once

#include <dnnl.hpp>
#include <string>

#include "ops/compute.h"

namespace resflow {

enum class Precision { kF32, kBf16, kInt8 };

std::string precision_name(Precision precision);       // "f32", "bf16", "int8"
Precision precision_of_name(const std::string& name);  // Throws Error{kUsage} for another.

// Why oneDNN, with the instructions of `isa`, computes no faster in `precision` than in f32: "this CPU has no bf16
// instructions (avx512_bf16, amx or avx_ne_convert)". Empty where it does.
std::string precision_obstacle(Precision precision, dnnl::cpu_isa isa = onednn_isa());

// Whether oneDNN multiplies bf16 in tiles (amx): many times faster than anything in f32.
bool bf16_has_tiles(dnnl::cpu_isa isa = onednn_isa());

// How the values of an edge are stored: the real value is `scale` times the stored one.
struct Storage {
  dnnl::memory::data_type type = dnnl::memory::data_type::f32;
  float scale = 1;
  bool operator==(const Storage&) const = default;
};

// The 8 bits that hold [low, high] best: u8 where nothing is below zero, else s8, symmetric about it.
Storage eight_bits(float low, float high);

}  // namespace resflow
