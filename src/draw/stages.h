// Lines through what was measured epoch by epoch.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "draw/svg.h"

namespace pdarts::draw {

// Joins the points that follow each other within a stage; one that stands alone is a dot of class "dot" and this
// radius, or left out where it is 0. points[i] is of an epoch of stages[i]; nothing there: a gap.
void DrawStages(Svg& svg, const std::vector<std::optional<Point>>& points, const std::vector<int>& stages,
                std::string_view css, double dot_radius);

}  // namespace pdarts::draw
