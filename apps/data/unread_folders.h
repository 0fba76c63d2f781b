// Folders of a data set that cannot be read: lost+found of a disk, or a class that belongs to somebody else.
#pragma once

#include "io/core/listener.h"
#include "io/pictures/dataset.h"

namespace resflow {

// Warns of the folders in dataset.unread, naming the first few: what is in them is left out.
void warn_of_unread_folders(const Dataset& dataset, Listener& listener);

}  // namespace resflow
