#include "draw/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "draw/cell_layout.h"
#include "draw/palette.h"

namespace pdarts::draw {
namespace {

constexpr double kPadding = 20, kCaption = 40;
constexpr const char* kRoot = "pdarts-cell";

std::string PathOf(const std::vector<Point>& way) {
  std::string path = fmt::format("M{} {}", Number(way[0].x), Number(way[0].y));
  for (size_t i = 1; i < way.size(); ++i)
    path += way[i].y == way[i - 1].y ? fmt::format("H{}", Number(way[i].x)) : SCurve(way[i - 1], way[i]);
  return path;
}

// An arrow's head with its point at `tip`, flying right.
std::string Head(Point tip) { return fmt::format("M{0} {1}l-8 -4.2 2 4.2 -2 4.2z", Number(tip.x), Number(tip.y)); }

std::string NameOf(const CellLayout& layout, int state) {
  const std::string& name = layout.states[static_cast<size_t>(state)].name;
  return state < 2 ? name : "node " + name;
}

void DrawOperation(Svg& svg, const CellLayout& layout, const PlacedOperation& operation) {
  const Box& box = operation.box;
  const Box& node = layout.states[static_cast<size_t>(operation.node)].box;
  svg.Group(ClassOf(operation.op));
  svg.Title(fmt::format("{} to {}: {}", NameOf(layout, operation.from), NameOf(layout, operation.node),
                        search::Name(operation.op)));
  svg.Path(PathOf(operation.way), "wire");
  // The two edges of a node arrive a little apart, each with its own head.
  const double y = node.middle().y + (box.middle().y < node.middle().y ? -5 : 5);
  const Point out{box.right(), box.middle().y}, tip{node.x - 0.5, y};
  svg.Path(PathOf({out, {tip.x - 6, tip.y}}), "wire");
  svg.Path(Head(tip), "head");
  svg.Rect(box, box.height / 2, "box");
  svg.Text({box.middle().x, box.middle().y + 4.3}, search::Name(operation.op), "label ink", Anchor::kMiddle);
  svg.EndGroup();
}

void DrawConcat(Svg& svg, const CellLayout& layout) {
  svg.Group("plain thin");
  for (std::vector<Point> way : layout.concat) {
    const Point tip = way.back();
    way.back().x -= 6;
    svg.Path(PathOf(way), "wire");
    svg.Path(Head({tip.x - 0.5, tip.y}), "head");
  }
  svg.EndGroup();
}

void DrawStates(Svg& svg, const CellLayout& layout) {
  for (size_t i = 0; i < layout.states.size(); ++i) {
    const PlacedState& state = layout.states[i];
    const Point middle = state.box.middle();
    if (i < 2 || i + 1 == layout.states.size())
      svg.Rect(state.box, 9, "state");
    else
      svg.Circle(middle, state.box.width / 2, "state");
    svg.Subscripted({middle.x, middle.y + 5}, state.name, "state-name ink", Anchor::kMiddle);
  }
}

void Shift(CellLayout& layout, double x, double y) {
  const auto move = [&](std::vector<Point>& way) {
    for (Point& point : way) point.x += x, point.y += y;
  };
  for (PlacedState& state : layout.states) state.box.x += x, state.box.y += y;
  for (PlacedOperation& operation : layout.operations) {
    operation.box.x += x, operation.box.y += y;
    move(operation.way);
  }
  for (auto& way : layout.concat) move(way);
}

const std::vector<search::GenotypeEdge>& EdgesOf(const search::Genotype& genotype, CellKind kind) {
  return kind == CellKind::kNormal ? genotype.normal : genotype.reduce;
}

const char* TitleOf(CellKind kind) { return kind == CellKind::kNormal ? "Normal cell" : "Reduction cell"; }

CellLayout LayOut(const search::Genotype& genotype, CellKind kind) {
  return LayOutCell(EdgesOf(genotype, kind),
                    kind == CellKind::kNormal ? genotype.normal_concat : genotype.reduce_concat);
}

std::string StyleOfCells(const std::vector<search::GenotypeEdge>& first,
                         const std::vector<search::GenotypeEdge>& second) {
  std::vector<search::Primitive> ops;
  for (const auto* edges : {&first, &second})
    for (const search::GenotypeEdge& edge : *edges) ops.push_back(edge.op);
  return StyleOf(kRoot, ops);
}

void DrawLayout(Svg& svg, const CellLayout& layout) {
  DrawConcat(svg, layout);
  for (const PlacedOperation& operation : layout.operations) DrawOperation(svg, layout, operation);
  DrawStates(svg, layout);
}

// One cell of a file with its caption; `corner`: the right edge of the file, and where the cell's part begins.
void DrawCaptioned(Svg& svg, CellLayout layout, CellKind kind, const std::string& name, Point corner) {
  svg.Text({kPadding + 8, corner.y + kPadding + 16}, TitleOf(kind), "title ink");
  const std::string stride = "inputs' edges at stride 2";
  const std::string rest = kind == CellKind::kNormal ? name : name.empty() ? stride : name + " · " + stride;
  svg.Text({corner.x - kPadding - 8, corner.y + kPadding + 16}, rest, "label soft", Anchor::kEnd);
  Shift(layout, kPadding, corner.y + kPadding + kCaption);
  DrawLayout(svg, layout);
}

double HeightWithCaption(const CellLayout& layout) { return layout.height + 2 * kPadding + kCaption; }

}  // namespace

std::string DrawCell(const search::Genotype& genotype, CellKind kind, Svg::Use use, const std::string& name) {
  const CellLayout layout = LayOut(genotype, kind);
  const bool file = use == Svg::Use::kFile;
  const Point size =
      file ? Point{layout.width + 2 * kPadding, HeightWithCaption(layout)} : Point{layout.width, layout.height};
  Svg svg(use, size, kRoot, name.empty() ? TitleOf(kind) : fmt::format("{} of {}", TitleOf(kind), name));
  svg.Style(StyleOfCells(EdgesOf(genotype, kind), {}));
  if (file) {
    svg.Rect({0, 0, size.x, size.y}, 14, "paper");
    DrawCaptioned(svg, layout, kind, name, {size.x, 0});
  } else {
    DrawLayout(svg, layout);
  }
  return svg.Finish();
}

std::string DrawCells(const search::Genotype& genotype, const std::string& name) {
  const CellLayout normal = LayOut(genotype, CellKind::kNormal), reduce = LayOut(genotype, CellKind::kReduction);
  const Point size{std::max(normal.width, reduce.width) + 2 * kPadding,
                   HeightWithCaption(normal) + HeightWithCaption(reduce)};
  Svg svg(Svg::Use::kFile, size, kRoot, name.empty() ? "Both cells" : "Both cells of " + name);
  svg.Style(StyleOfCells(genotype.normal, genotype.reduce));
  svg.Rect({0, 0, size.x, size.y}, 14, "paper");
  DrawCaptioned(svg, normal, CellKind::kNormal, name, {size.x, 0});
  DrawCaptioned(svg, reduce, CellKind::kReduction, name, {size.x, HeightWithCaption(normal)});
  return svg.Finish();
}

}  // namespace pdarts::draw
