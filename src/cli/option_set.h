// The options of one verb: declared in groups, bound to variables whose values are the defaults, filled from the
// command line and --config.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace pdarts::cli {

struct Range {
  double min = std::numeric_limits<double>::lowest(), max = std::numeric_limits<double>::max();
};

// Usage: construct; add groups and options; `if (!options.Parse(arguments)) return 0;`. Every verb also gets --config,
// --quiet, --verbose and --help (or -h). Bound variables must outlive the object. All mistakes of the user end as usage
// errors that name the option.
class OptionSet {
 public:
  // Text, whole number or number; an empty optional means "not given". The value held when the option is added is the
  // default shown.
  using Target =
      std::variant<std::string*, int*, int64_t*, uint64_t*, double*, std::optional<std::string>*, std::optional<int>*,
                   std::optional<int64_t>*, std::optional<double>*, std::vector<std::string>*, bool*>;

  // `description` is printed under the usage line: what the verb does, in a few lines of at most 100 characters.
  OptionSet(std::string verb, std::string description);
  OptionSet(const OptionSet&) = delete;
  OptionSet& operator=(const OptionSet&) = delete;

  void Group(std::string title);  // the options added next are listed under this title
  // `value_name` is shown in the help ("N", "DIR"); a bool is a switch and shows none. A vector may be given several
  // times.
  void Add(std::string name, Target target, std::string value_name, std::string help, Range range = {});
  // One of a few words.
  void AddChoice(std::string name, std::string* target, std::vector<std::string> choices, std::string help);
  void AddSwitch(std::string name, bool* target, std::string help);
  // Words without a dash, in the order added; a vector takes all that remain. `required`: at least one word.
  void AddPositional(std::string name, Target target, std::string help, bool required);

  // Fills the targets: flags first, then the file of --config for what the flags left open. Sets the log level. False:
  // --help was given and the help is printed, so the verb returns 0.
  bool Parse(const Arguments& arguments);

  // Values a run was started with, by option name, for the options that were not given; other keys are left alone.
  // `where`: of the message if one does not fit.
  void TakeStored(const std::map<std::string, std::string>& values, const std::string& where);

  std::string Help() const;
  // Whether the user gave the option, on the command line or in the file.
  bool Given(const std::string& name) const;

 private:
  struct Option {
    std::string name, group, value_name, help;
    Target target;
    Range range;
    std::vector<std::string> choices;
    bool given = false;
  };
  struct Positional {
    std::string name, help;
    Target target;
    bool required;
  };

  std::vector<std::string> ParseFlags(const Arguments& arguments);  // returns the positional words
  void ParseConfigFile(const std::string& path);
  void SetOption(Option& option, const std::vector<std::string>& values, const std::string& where);
  void SetPositionals(const std::vector<std::string>& words);
  std::string HelpOfGroup(const std::string& group) const;
  Option* Find(const std::string& name);
  std::vector<std::string> Names() const;

  std::string verb_, description_, group_;
  std::vector<Option> options_;
  std::vector<Positional> positionals_;
  std::string config_;
  bool quiet_ = false, verbose_ = false, help_ = false;
};

}  // namespace pdarts::cli
