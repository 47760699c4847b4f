#include "draw/svg.h"

#include <fmt/format.h>

#include <cmath>

namespace pdarts::draw {

std::string Escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Number(double value) {
  const double rounded = std::round(value * 10) / 10;
  return fmt::format("{:g}", rounded == 0 ? 0.0 : rounded);
}

Svg::Svg(Use use, Point size, std::string_view css, std::string_view label) {
  const std::string width = Number(size.x), height = Number(size.y);
  const std::string own =
      fmt::format(" xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\"", width, height);
  out_ = fmt::format("<svg{} class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                     use == Use::kFile ? own : "", css, width, height, Escape(label));
}

void Svg::Style(std::string_view css) { out_ += fmt::format("<style>{}</style>\n", css); }

void Svg::Line(Point from, Point to, std::string_view css) {
  out_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", css, Number(from.x),
                      Number(from.y), Number(to.x), Number(to.y));
}

void Svg::Rect(const Box& box, double radius, std::string_view css) {
  out_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>\n", css,
                      Number(box.x), Number(box.y), Number(box.width), Number(box.height), Number(radius));
}

void Svg::Circle(Point centre, double radius, std::string_view css) {
  out_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", css, Number(centre.x), Number(centre.y),
                      Number(radius));
}

void Svg::Path(std::string_view commands, std::string_view css) {
  out_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", css, commands);
}

void Svg::Polyline(const std::vector<Point>& points, std::string_view css) {
  if (points.size() < 2) return;
  out_ += fmt::format("<polyline class=\"{}\" points=\"", css);
  for (size_t i = 0; i < points.size(); ++i)
    out_ += fmt::format("{}{},{}", i ? " " : "", Number(points[i].x), Number(points[i].y));
  out_ += "\"/>\n";
}

void Svg::StartText(Point at, std::string_view css, Anchor anchor) {
  const char* place = anchor == Anchor::kMiddle ? " text-anchor=\"middle\""
                      : anchor == Anchor::kEnd  ? " text-anchor=\"end\""
                                                : "";
  out_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\"{}>", css, Number(at.x), Number(at.y), place);
}

void Svg::Text(Point at, std::string_view text, std::string_view css, Anchor anchor) {
  StartText(at, css, anchor);
  out_ += Escape(text) + "</text>\n";
}

void Svg::Subscripted(Point at, std::string_view text, std::string_view css, Anchor anchor) {
  const size_t open = text.find("_{"), close = text.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return Text(at, text, css, anchor);
  StartText(at, css, anchor);
  std::string below(text.substr(open + 2, close - open - 2));
  if (const size_t minus = below.find('-'); minus != std::string::npos) below.replace(minus, 1, "\u2212");
  out_ += fmt::format("{}<tspan dy=\"3\" font-size=\"75%\">{}</tspan>{}</text>\n", Escape(text.substr(0, open)),
                      Escape(below), Escape(text.substr(close + 1)));
}

void Svg::Title(std::string_view text) { out_ += fmt::format("<title>{}</title>\n", Escape(text)); }

void Svg::Group(std::string_view css) { out_ += fmt::format("<g class=\"{}\">\n", css); }

void Svg::EndGroup() { out_ += "</g>\n"; }

std::string Svg::Finish() { return std::move(out_) + "</svg>\n"; }

std::string SCurve(Point from, Point to) {
  const double middle = (from.x + to.x) / 2;
  return fmt::format("C{} {} {} {} {} {}", Number(middle), Number(from.y), Number(middle), Number(to.y), Number(to.x),
                     Number(to.y));
}

}  // namespace pdarts::draw
