#include "draw/palette.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pdarts::draw {
namespace {

struct Colours {
  const char *light, *dark;
};

// In the order of Primitive. Hues by family: separable blue, dilated purple, pools orange, the skip-connect green.
constexpr std::array<Colours, search::kAllPrimitives> kColours = {{{"#7f8896", "#8f9bb0"},
                                                                   {"#d1480c", "#ff9a6b"},
                                                                   {"#a87400", "#efc25e"},
                                                                   {"#138a4a", "#5fd394"},
                                                                   {"#2456d6", "#8aabff"},
                                                                   {"#0a7ea4", "#58c8ee"},
                                                                   {"#8a3fd0", "#c79dff"},
                                                                   {"#c22985", "#ff8fca"},
                                                                   {"#4144ad", "#b0b3ff"},
                                                                   {"#5d6d18", "#c3d46a"}}};

// What both schemes share; R stands for the root's class.
constexpr const char* kShapes =
    ".R{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;"
    "font-variant-numeric:tabular-nums}"
    ".R .wire{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round}"
    ".R .thin .wire{stroke-width:1.3}"
    ".R .head{fill:currentColor}"
    ".R .box{fill:currentColor;fill-opacity:.12;stroke:currentColor;stroke-width:1.2}"
    ".R .line{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}"
    ".R .dot{fill:currentColor}"
    ".R .label{font-size:12.5px}.R .small{font-size:11px}"
    ".R .title{font-size:15px;font-weight:600}"
    ".R .state-name{font-size:15px;font-weight:600}"
    ".R .state{stroke-width:1.5}"
    ".R .frame{fill:none;stroke:currentColor;stroke-width:1.5}"
    ".R .apart{stroke-dasharray:2 3}";

std::string Scheme(const std::vector<search::Primitive>& ops, bool dark) {
  struct Ink {
    const char *ink, *soft, *faint, *line, *paper, *state, *accent;
  };
  constexpr Ink kLight{"#1c2330", "#5b6676", "#8b95a5", "#e3e7ee", "#ffffff", "#f3f5f9", "#2f5fd0"};
  constexpr Ink kDark{"#e7ebf2", "#a5afbf", "#7b8697", "#2b3342", "#161c27", "#232b38", "#8fb0ff"};
  const Ink& c = dark ? kDark : kLight;
  std::string css = fmt::format(
      ".R .paper{{fill:{paper}}}.R .ink{{fill:{ink}}}.R .soft{{fill:{soft}}}.R .faint{{fill:{faint}}}"
      ".R .state{{fill:{state};stroke:{faint}}}.R .grid{{stroke:{line}}}.R .apart{{stroke:{faint}}}"
      ".R .panel{{fill:{paper};stroke:{line}}}.R .plain{{color:{faint}}}.R .accent{{color:{accent}}}"
      ".R .ring{{fill:{paper};stroke:currentColor;stroke-width:2}}",
      fmt::arg("paper", c.paper), fmt::arg("ink", c.ink), fmt::arg("soft", c.soft), fmt::arg("faint", c.faint),
      fmt::arg("state", c.state), fmt::arg("line", c.line), fmt::arg("accent", c.accent));
  for (search::Primitive op : ops) {
    const Colours& colours = kColours[static_cast<size_t>(op)];
    css += fmt::format(".R .{}{{color:{}}}", ClassOf(op), dark ? colours.dark : colours.light);
  }
  return css;
}

}  // namespace

std::string ClassOf(search::Primitive op) { return std::string("op-") + search::Name(op); }

std::string StyleOf(const std::string& root, const std::vector<search::Primitive>& ops) {
  std::vector<search::Primitive> used = ops;
  std::ranges::sort(used);
  used.erase(std::ranges::unique(used).begin(), used.end());
  const std::string css =
      kShapes + Scheme(used, false) + "@media (prefers-color-scheme:dark){" + Scheme(used, true) + "}";
  std::string named;
  for (size_t i = 0; i < css.size(); ++i) {
    const bool stands_for_root =
        css[i] == 'R' && i > 0 && css[i - 1] == '.' && (css[i + 1] == ' ' || css[i + 1] == '{');
    named += stands_for_root ? root : std::string(1, css[i]);
  }
  return named;
}

}  // namespace pdarts::draw
