#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <new>
#include <stdexcept>

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

// A file that a run opens must not become its standard output: what the caller closed (`>&-`) goes nowhere instead.
void HoldStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // takes the lowest free number, which is fd
}

int Fail(base::ExitCode code, std::string_view message) {
  base::ClearStatus();
  // One line, whatever the user's words hold.
  std::string line(message);
  std::ranges::replace_if(
      line, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  std::fputs(fmt::format("pdarts: {}\n", line).c_str(), stderr);
  return static_cast<int>(code);
}

}  // namespace

int RunMain(const Arguments& arguments) {
  HoldStandardStreams();
  std::signal(SIGPIPE, SIG_IGN);  // a run outlives the reader of its output
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows over `ulimit -f` is an error of the write
  try {
    return RunVerb(arguments);
  } catch (const base::Error& error) {
    return Fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(base::ExitCode::kDevice, "out of memory (lower --batch, --channels or --layers, or free memory)");
  } catch (const std::length_error&) {
    return Fail(base::ExitCode::kDevice, "more memory than there can be (lower --batch, --channels or --layers)");
  } catch (const std::filesystem::filesystem_error& error) {
    return Fail(base::ExitCode::kData,
                fmt::format("{}: {} (check the path)", error.path1().string(), error.code().message()));
  } catch (const std::exception& error) {
    Fail(base::ExitCode::kDevice,
         fmt::format("{} (this is a bug of pdarts: please report this line and the command)", error.what()));
    return kBugOfPdarts;
  }
}

}  // namespace pdarts::cli
