// The entry points of the verbs, each in the file of its name.
#pragma once

#include "cli/command.h"

namespace pdarts::cli {

int RunSearchVerb(const Arguments&);
int RunTrainVerb(const Arguments&);
int RunEvalVerb(const Arguments&);
int RunDerive(const Arguments&);
int RunInspect(const Arguments&);
int RunSelftest(const Arguments&);
int RunData(const Arguments& arguments);
int RunReproduce(const Arguments& arguments);
int RunReport(const Arguments& arguments);
int RunCompare(const Arguments& arguments);
int RunBench(const Arguments& arguments);
int RunDevices(const Arguments& arguments);
int RunVersion(const Arguments& arguments);
int RunHelp(const Arguments& arguments);

}  // namespace pdarts::cli
