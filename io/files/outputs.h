// What a command is to write, looked at together before its work: hours later it is too late.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/files/file.h"

namespace resflow {

struct OutputFile {
  std::string name;         // how the user knows it: setting("json")
  std::string path;         // empty: it is not asked for
  bool needs_file = false;  // it is not written from one end to the other, so that a pipe cannot take it
  bool goes_on = false;     // its run may go on with what an earlier one left: that one's journal is no obstacle
};

// Touches nothing: no file is made, cut or opened for writing. Throws Error{kUsage} where an output's folder is absent
// or may not be written in, its name is too long, it is a folder; where two outputs are one file, under whatever names,
// or one is among `inputs`; where a scoring was begun there and not finished, which a resumed run would go on with; and
// where it is the partial file or the journal of such a run.
void check_outputs(const std::vector<OutputFile>& outputs, const std::vector<std::string>& inputs = {},
                   FileSystem& files = machine_files());

// Writes one output after the other. Where one fails, the others are written all the same: all that they hold is there.
// Throws what the first failure threw.
void write_each(const std::vector<std::function<void()>>& writes);

}  // namespace resflow
