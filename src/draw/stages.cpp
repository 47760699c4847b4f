#include "draw/stages.h"

namespace pdarts::draw {

void DrawStages(Svg& svg, const std::vector<std::optional<Point>>& points, const std::vector<int>& stages,
                std::string_view css, double dot_radius) {
  std::vector<Point> line;
  for (size_t i = 0; i <= points.size(); ++i) {
    const bool joined = i > 0 && i < points.size() && points[i] && stages[i] == stages[i - 1];
    if (!joined) {
      svg.Polyline(line, css);
      if (line.size() == 1 && dot_radius > 0) svg.Circle(line[0], dot_radius, "dot");
      line.clear();
    }
    if (i < points.size() && points[i]) line.push_back(*points[i]);
  }
}

}  // namespace pdarts::draw
