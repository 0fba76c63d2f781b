// report.html: what a run or an evaluation came to, in one file that opens without a network and runs no script.
//
// Light and dark follow the reader's preference; it reads on a phone. All text is escaped, whatever names files have.
#pragma once

#include <string>

#include "apps/report/data.h"

namespace resflow {

// The whole page. It works for any number of classes and pictures, even where there are none.
std::string html_report(const HtmlReport& report);

// Writes the whole file or leaves what was there. Throws as AtomicFile does (io/files/file.h).
void write_html_report(const HtmlReport& report, const std::string& path);

}  // namespace resflow
