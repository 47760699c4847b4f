// Writes SVG: shapes, escaped text, numbers of at most one decimal, so that drawings are small and the same everywhere.
// Looks come from CSS classes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pdarts::draw {

struct Point {
  double x = 0, y = 0;
};

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
  Point middle() const { return {x + width / 2, y + height / 2}; }
};

// Replaces & < > " by entities.
std::string Escape(std::string_view text);

// 12.30 as "12.3", 12.0 as "12"; never "-0".
std::string Number(double value);

enum class Anchor { kStart, kMiddle, kEnd };

class Svg {
 public:
  enum class Use {
    kFile,    // a document of its own, with its size
    kInline,  // part of an HTML page, which sizes it
  };

  // `css`: the root's class, by which style sheets find this kind of drawing. `label`: what it shows, in words.
  Svg(Use use, Point size, std::string_view css, std::string_view label);

  void Style(std::string_view css);  // the text must not hold "</"
  void Line(Point from, Point to, std::string_view css);
  void Rect(const Box& box, double radius, std::string_view css);
  void Circle(Point centre, double radius, std::string_view css);
  void Path(std::string_view commands, std::string_view css);
  void Polyline(const std::vector<Point>& points, std::string_view css);  // nothing for fewer than two
  void Text(Point at, std::string_view text, std::string_view css, Anchor anchor = Anchor::kStart);
  // "c_{k-2}" with the braces' content as a subscript; other text as it is.
  void Subscripted(Point at, std::string_view text, std::string_view css, Anchor anchor = Anchor::kStart);
  void Title(std::string_view text);  // a tooltip on what is drawn from here to EndGroup
  void Group(std::string_view css);
  void EndGroup();

  std::string Finish();  // closes the drawing and returns it

 private:
  void StartText(Point at, std::string_view css, Anchor anchor);

  std::string out_;
};

// Path commands: an S-curve that leaves and arrives level, from where the pen is to `to`; `from` is where it is.
std::string SCurve(Point from, Point to);

}  // namespace pdarts::draw
