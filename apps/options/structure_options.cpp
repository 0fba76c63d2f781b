#include "apps/options/structure_options.h"

#include "apps/options/option_row.h"
#include "apps/train/option_table.h"

namespace resflow {

void add_structure_options(CLI::App& command, StructureOptions& options) {
  for (const Option<StructureOptions>& option : structure_option_table()) add_option_row(command, option, options);
}

void add_unseen_structure_options(CLI::App& command, StructureOptions& options) {
  for (const Option<StructureOptions>& option : structure_option_table())
    for (const char* unseen : {"norm_groups", "no_residual", "replace_stride_with_dilation"})
      if (option.name == unseen) add_option_row(command, option, options);
}

}  // namespace resflow
