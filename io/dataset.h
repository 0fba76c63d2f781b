// A labelled folder of photographs, listed by torchvision's ImageFolder rules: a class is a sub-folder of
// the root, classes and files in byte-wise order, the walk is recursive and follows links.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resflow {

struct Sample {
  std::string path;
  int label = -1;  // index into classes; -1 where there is none (scoring)
};

struct Dataset {
  std::vector<std::string> classes;
  std::vector<Sample> samples;
  std::vector<std::string> empty_classes = {};  // class folders without a picture: no class of the data set
};

// A link back to a folder that it lies in is not followed: it leads to no other picture.
// A class folder without a picture, at which torchvision stops, is left out and named in empty_classes.
// Throws Error{kData}: the folder is absent, empty, unreadable or has no class folders, or none of them has a picture.
Dataset list_image_folder(const std::string& root);

// The pictures to score: `path` itself where it is no folder (whatever its name, and even if it is absent, for
// then its reader says so), else all image files below it, in the order of ImageFolder's walk.
// Throws Error{kData} where the folder holds no picture or cannot be read.
std::vector<Sample> list_pictures(const std::string& path);

// .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp, case ignored.
bool has_image_extension(const std::string& path);
const char* image_extensions();  // these, for a sentence

}  // namespace resflow
