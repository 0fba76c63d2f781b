// What kind of input a path is: the one place where the kinds are told apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/pictures/list_source.h"
#include "io/pictures/picture_source.h"

namespace resflow {

enum class InputKind {
  kFile,     // a picture, whatever its name, and even if it is absent: its row says what is wrong
  kFolder,   // io/pictures/folder_source.h
  kPack,     // io/pictures/pack_source.h: by its first bytes, where its name is no picture's
  kArchive,  // io/pictures/archive_source.h: by its name, or by its first bytes where its name is no picture's; and a
             // pipe
  kGlob,     // io/files/glob.h: nothing of this name is there, and it has a wildcard; its matches are any of the above
  kList,     // io/pictures/list_source.h: "-", standard input
};

struct Input {
  std::string path;
  InputKind kind;
};

// What an argument means. The only place that knows how kinds are told apart.
Input recognise_input(const std::string& argument);

// The pictures of one input, of which archives ask list.stop, too. Throws as the constructors of its sources do.
std::unique_ptr<PictureSource> open_pictures(const Input& input, const ListOptions& list = {},
                                             const Selection& selection = {});

// The pictures of several inputs, one input after the other; each is opened when its turn comes.
class InputSource : public PictureSource {
 public:
  // Looks at each input as far as its first picture, so that a mistake in the last input is found before the first one
  // is worked through. Throws Error{kData} for a folder, pack, pattern, archive or list that holds no picture or cannot
  // be read. Standard input and other pipes are not looked at until their turn comes, nor where a pattern meets them.
  // `selection` is for what folders, packs and archives hold, also those that a pattern meets.
  explicit InputSource(std::vector<Input> inputs, ListOptions list = {}, Selection selection = {});

  bool next(Picture& picture) override;
  // Known of files and packs.
  std::optional<int64_t> count() const override { return count_; }
  PassedOver left_out() const override;

 private:
  std::vector<Input> inputs_;
  ListOptions list_;
  Selection selection_;
  PassedOver left_out_;  // of inputs that are done
  size_t next_ = 0;
  std::optional<int64_t> count_ = 0;
  std::unique_ptr<PictureSource> source_;
};

}  // namespace resflow
