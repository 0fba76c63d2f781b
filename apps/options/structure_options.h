// --block --layers --groups --width-per-group --channels --stem --norm --norm-groups --shortcut --no-residual
// --zero-init-residual --replace-stride-with-dilation, for subcommands that take a model by its name.
#pragma once

#include "apps/model/structure.h"

namespace CLI {
class App;
}

namespace resflow {

void add_structure_options(CLI::App& command, StructureOptions& options);

// Of these what leaves no trace in a file's tensors, for subcommands that take a file of weights.
void add_unseen_structure_options(CLI::App& command, StructureOptions& options);

}  // namespace resflow
