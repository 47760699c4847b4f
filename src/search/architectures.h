// The published cells by name, from reproduce/architectures.json, and the one way to read the cell a user asks for.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "search/genotype.h"

namespace pdarts::search {

struct Architecture {
  std::string name;
  std::string about;   // one line: whose cell, and what is known to be odd about it; empty for a cell without a name
  std::string source;  // repository, file and commit
  Genotype genotype;
};

// All of them, sorted by name. Two cells of two edges a node each; a reduction cell that was never published is that of
// another, and `about` says so.
std::span<const Architecture> Architectures();

// The architecture of that name. A usage error naming `where`, which suggests the nearest name, or says why there is
// none: never published, or not buildable.
const Architecture& FindArchitecture(const std::string& name, const std::string& where);

// What NAME|FILE|'Genotype(...)' asks for: a text with a parenthesis is parsed; an architecture's name comes before a
// file of that name; a file holds a genotype's text or JSON. Errors as of FindArchitecture and of the parsers.
Architecture ResolveArchitecture(const std::string& text, const std::string& where);

}  // namespace pdarts::search
