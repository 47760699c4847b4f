// The looks that drawings share: system fonts, colours in light and dark by the reader's own setting.
#pragma once

#include <string>
#include <vector>

#include "search/search_space.h"

namespace pdarts::draw {

// The class that colours whatever uses currentColor: "op-sep_conv_3x3".
std::string ClassOf(search::Primitive op);

// The style sheet of a drawing whose root has the class `root`, with the colours of these operations and a background
// of its own where it is a file. Names of classes begin behind `root`, so pages may hold several drawings.
std::string StyleOf(const std::string& root, const std::vector<search::Primitive>& ops);

}  // namespace pdarts::draw
