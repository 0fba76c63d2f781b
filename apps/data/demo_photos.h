// Draws photographs for the demo: surfaces of four kinds, each in its own light, colours, scale and angle.
//
// No class has a colour, brightness or size of its own, so what tells them apart has to be learned from shapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/images/image.h"

namespace resflow {

const std::vector<std::string>& demo_classes();  // "fence", "net", "pebbles", "stairs"

// The picture that (class, number) names: always the same one. Its long side is 112 to 176 pixels, or `long_side`.
Image draw_demo_photo(int label, uint64_t number, int long_side = 0);

struct DemoSet {
  int train = 240, val = 30;  // pictures a class
};

// Writes ROOT/{train,val}/CLASS/NNN.jpg. Throws Error: kUsage where a folder cannot be made, kSystem where a
// file cannot be written.
void write_demo_photos(const std::string& root, const DemoSet& set);

}  // namespace resflow
