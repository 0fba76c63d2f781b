// The sections of report.html, each as the inside of its <section>.
#pragma once

#include <string>
#include <vector>

#include "apps/report/data.h"

namespace resflow {

std::string html_verdict(const HtmlReport& report);
std::string html_curves(const HtmlReport& report);
std::string html_confusion(const ReportedEvaluation& evaluation);
std::string html_classes(const ReportedEvaluation& evaluation);
std::string html_calibration(const ReportedEvaluation& evaluation);
std::string html_cards(const std::vector<PictureCard>& cards);
std::string html_broken(const std::vector<BrokenPicture>& broken);
std::string html_times(const StageTimes& times);

}  // namespace resflow
