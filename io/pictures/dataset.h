// A labelled set of photographs: a folder, listed by torchvision's ImageFolder rules (a class is a sub-folder of the
// root, classes and files in byte-wise order, the walk is recursive and follows links), or a pack of one
// (docs/pack.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/pictures/picture_file.h"
#include "io/pictures/selection.h"

namespace resflow {

class PackReader;

struct Sample {
  std::string path;  // of a packed picture PACK/NAME, which says where it is and is no file
  int label = -1;    // index into classes; -1 where there is none (scoring)
  std::shared_ptr<const PackReader> pack = nullptr;  // where it is packed
  int64_t packed = 0;                                // its number there
};

// A folder of a data set that could not be read, or not to its end.
struct UnreadFolder {
  std::string path, reason;
};

struct Dataset {
  std::vector<std::string> classes;
  std::vector<Sample> samples;
  std::vector<std::string> empty_classes = {};  // class folders without a picture: no class of the data set
  std::vector<UnreadFolder> unread = {};        // what is in them is not in the data set, and they are no empty classes
  PassedOver left_out = {};                     // within the class folders, and by patterns beside them
  int64_t beside = 0;                           // files beside the class folders
};

std::vector<int32_t> labels_of(const Dataset& dataset);  // of its samples, in their order

// How many samples each class has. REQUIRES: every sample has a label.
std::vector<int64_t> class_sizes(const Dataset& dataset);
// The same of labels below `classes`.
std::vector<int64_t> class_sizes(std::span<const int32_t> labels, size_t classes);

// A sample's path below the root that it was listed from: "ants/1.jpg". REQUIRES: `path` lies there.
std::string path_below(const std::string& root, const std::string& path);

// A link back to a folder that it lies in is not followed: it leads to no other picture.
// A class folder without a picture, at which torchvision stops, is left out and named in empty_classes. So is a folder
// that may not be read (lost+found of a disk), a class's own or one within it, and named in `unread`.
// `root` may be a pack: its pictures then come in the order of the folder that it was made of.
// Throws Error{kData}: the folder is absent, empty, unreadable or has no class folders, or none of them has a picture
// that is not left out;
// the pack is damaged (PackReader) or has no labels. Throws Error{kSystem} where the machine fails.
// What `selection` leaves out is not there; of a pack, what bears such a name.
Dataset list_image_folder(const std::string& root, const Selection& selection = {});

// The pictures to score: those of a pack; `path` itself where it is no folder (whatever its name, and even if it is
// absent, for then its reader says so); else all image files below it, in the order of ImageFolder's walk.
// Throws Error{kData} where the folder or pack holds no picture or cannot be read, Error{kSystem} where the machine
// fails.
std::vector<Sample> list_pictures(const std::string& path, const Selection& selection = {},
                                  PassedOver* left_out = nullptr);

// The picture's file, read to `buffer`, which only grows: the part of it that holds the file. Used from any thread.
// Throws as read_picture_file (io/pictures/picture_file.h) and PackReader::read do; errors begin with the sample's
// path, or with the pack's where that cannot be read. A pack is read by the FileSystem that it was opened with.
std::span<const uint8_t> read_sample(const Sample& sample, std::vector<uint8_t>& buffer,
                                     const PictureReading& reading = {});

}  // namespace resflow
