#include "cli/command.h"

int main(int argc, char** argv) { return pdarts::cli::RunMain(pdarts::cli::Arguments(argv + 1, argv + argc)); }
