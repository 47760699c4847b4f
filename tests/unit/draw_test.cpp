#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "base/file.h"
#include "draw/axis.h"
#include "draw/cell.h"
#include "draw/cell_layout.h"
#include "draw/curves.h"
#include "search/architectures.h"

namespace pdarts::draw {
namespace {

bool Overlap(const Box& a, const Box& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

// The least box that holds a stretch of a way, a little smaller at its ends, where it may touch.
Box Around(Point a, Point b) { return {a.x + 0.5, std::min(a.y, b.y) - 0.5, b.x - a.x - 1, std::abs(a.y - b.y) + 1}; }

void CheckLayout(const CellLayout& layout) {
  std::vector<Box> boxes;
  for (const PlacedState& state : layout.states) boxes.push_back(state.box);
  std::vector<std::vector<Point>> ways = layout.concat;
  for (const PlacedOperation& operation : layout.operations) {
    boxes.push_back(operation.box);
    ways.push_back(operation.way);
  }
  for (size_t i = 0; i < boxes.size(); ++i) {
    CHECK((boxes[i].x >= 0 && boxes[i].y >= 0));
    CHECK((boxes[i].right() <= layout.width && boxes[i].bottom() <= layout.height));
    for (size_t j = 0; j < i; ++j) CHECK_FALSE(Overlap(boxes[i], boxes[j]));
  }
  for (const auto& way : ways)
    for (size_t i = 1; i < way.size(); ++i) {
      CHECK(way[i].x > way[i - 1].x);
      for (const Box& box : boxes) CHECK_FALSE(Overlap(box, Around(way[i - 1], way[i])));
    }
}

void CheckApproved(const std::string& name, const std::string& text) {
  const std::string path = std::string(PDARTS_TESTS_DIR) + "/golden_text/" + name;
  if (std::getenv("PDARTS_APPROVE") != nullptr) base::WriteFileAtomically(path, text);
  CHECK(text == base::ReadFile(path));
}

TEST_CASE("In the drawing of every published cell nothing lies on anything else", "[draw]") {
  for (const search::Architecture& architecture : search::Architectures()) {
    INFO(architecture.name);
    const search::Genotype& cells = architecture.genotype;
    CheckLayout(LayOutCell(cells.normal, cells.normal_concat));
    CheckLayout(LayOutCell(cells.reduce, cells.reduce_concat));
  }
}

TEST_CASE("The largest cell there may be is drawn in time", "[draw]") {
  std::vector<search::GenotypeEdge> edges;
  for (int node = 0; node < 16; ++node) {
    edges.push_back({search::Primitive::kSepConv3x3, node + 1});
    edges.push_back({search::Primitive::kSkipConnect, node / 2});
  }
  CheckLayout(LayOutCell(edges, {2, 9, 17}));
}

TEST_CASE("The drawings and the text of the P-DARTS cell read as approved", "[draw]") {
  const search::Architecture& cell = search::FindArchitecture("PDARTS_CIFAR10", "test");
  CheckApproved("pdarts_normal_cell.svg", DrawCell(cell.genotype, CellKind::kNormal, Svg::Use::kFile, cell.name));
  CheckApproved("pdarts_reduction_cell.svg", DrawCell(cell.genotype, CellKind::kReduction, Svg::Use::kFile, cell.name));
  CheckApproved("pdarts_genotype.txt", search::ToString(cell.genotype) + "\n");
}

TEST_CASE("Text is escaped, numbers are short", "[draw]") {
  CHECK(Escape("a<b & \"c\"") == "a&lt;b &amp; &quot;c&quot;");
  CHECK(Number(12.04) == "12");
  CHECK(Number(-0.01) == "0");
  CHECK(Number(0.25) == "0.3");
  Svg svg(Svg::Use::kInline, {10, 10}, "x", "<");
  svg.Subscripted({0, 0}, "c_{k-2}", "name");
  const std::string text = svg.Finish();
  CHECK(text.find("aria-label=\"&lt;\"") != std::string::npos);
  CHECK(text.find("_{") == std::string::npos);
}

TEST_CASE("Axes end at nice values and hold theirs", "[draw]") {
  const Axis axis = NiceAxis(0.13, 0.87, 0, 100);
  CHECK(axis.low == 0);
  CHECK(axis.high == 1);
  const Axis flat = NiceAxis(3, 3, 0, 100);
  CHECK((flat.low < 3 && flat.high > 3));
  CHECK(Ticks(NiceAxis(0, 4, 0, 1)).size() == 5);
}

TEST_CASE("Charts of a run draw every stage, and a single epoch too", "[draw]") {
  CHECK(DrawRun({}, "none", "test").empty());
  const std::string one = DrawRun({{.stage = 0, .epoch = 1, .loss = 2, .accuracy = 10}}, "one", "test");
  CHECK(one.find("<circle") != std::string::npos);
  CHECK(one.find("nan") == std::string::npos);
  const std::string three = DrawRun({{1, 1, 2, 10, {}, {}}, {2, 1, 2, 20, {}, {}}, {3, 1, 1, 30, 2.0, 20.0}}, "x", "y");
  CHECK(three.find("stage 3") != std::string::npos);
}

TEST_CASE("The chart of alphas frames the chosen edges", "[draw]") {
  const search::Switches all = search::Switches::All();
  EdgeEpoch epoch{1, all.normal, {}};
  for (const auto& ops : all.normal) epoch.weights.push_back(std::vector<double>(ops.size(), 1.0 / 8));
  const auto& cell = search::FindArchitecture("PDARTS_CIFAR10", "test").genotype.normal;
  const std::string svg = DrawAlphas({epoch, epoch}, "alphas", cell);
  size_t frames = 0;
  for (size_t at = 0; (at = svg.find("class=\"frame\"", at)) != std::string::npos; ++at) ++frames;
  CHECK(frames == 8);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(DrawAlphas({}, "alphas", cell).empty());
}

}  // namespace
}  // namespace pdarts::draw
