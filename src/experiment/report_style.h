#pragma once

namespace pdarts::experiment {

// The style sheet of the HTML report: system fonts, light and dark by the reader's own setting.
const char* ReportStyle();

}  // namespace pdarts::experiment
