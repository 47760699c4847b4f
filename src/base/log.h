// The log on stderr. Libraries say nothing by themselves; subcommands and long work do.
#pragma once

#include <string_view>

namespace pdarts::base {

enum class LogLevel { kQuiet, kInfo, kDebug };

void SetLogLevel(LogLevel level);
LogLevel GetLogLevel();

// One line on stderr. Warnings are shown at every level but kQuiet.
void LogInfo(std::string_view line);
void LogWarning(std::string_view line);
void LogDebug(std::string_view line);

// Replaces the status line on a terminal; elsewhere prints a plain line, at most one per `ShowStatus` with force.
// Clear it before other output.
void ShowStatus(std::string_view line, bool force);
void ClearStatus();

}  // namespace pdarts::base
