#include <algorithm>
#include <csignal>
#include <new>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"

namespace pdarts::cli {
namespace {

constexpr int kBugOfPdarts = 70;  // EX_SOFTWARE of sysexits.h

int RunVerb(const Arguments& arguments) {
  if (arguments.empty()) {
    Print(HelpText());
    FlushOutput();
    return static_cast<int>(base::ExitCode::kUsage);
  }
  std::string verb = arguments.front();
  if (verb == "--help" || verb == "-h") verb = "help";
  if (verb == "--version") verb = "version";
  const int code = FindCommand(verb, "").run(Arguments(arguments.begin() + 1, arguments.end()));
  FlushOutput();
  return code;
}

int Fail(base::ExitCode code, std::string_view message) {
  base::ClearStatus();
  std::fputs(fmt::format("pdarts: {}\n", message).c_str(), stderr);
  return static_cast<int>(code);
}

}  // namespace

int RunMain(const Arguments& arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // a run outlives the reader of its output
  try {
    return RunVerb(arguments);
  } catch (const base::Error& error) {
    return Fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(base::ExitCode::kDevice, "out of memory (lower --batch, --channels or --layers, or free memory)");
  } catch (const std::exception& error) {
    Fail(base::ExitCode::kDevice,
         fmt::format("{} (this is a bug of pdarts: please report this line and the command)", error.what()));
    return kBugOfPdarts;
  }
}

}  // namespace pdarts::cli
