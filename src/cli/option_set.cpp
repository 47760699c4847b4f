#include "cli/option_set.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/option_value.h"
#include "cli/output.h"

namespace po = boost::program_options;

namespace pdarts::cli {
namespace {

constexpr unsigned kHelpWidth = 110, kDescriptionWidth = 70;
constexpr const char *kDefaultGroup = "Options", *kCommonGroup = "Common options";
constexpr const char* kWords = "words";  // the name under which Boost hands back what carries no dash

std::string Suggestion(const std::string& word, const std::vector<std::string>& names, const std::string& dashes,
                       const std::string& otherwise) {
  const std::string nearest = base::NearestName(word, names);
  return nearest.empty() ? otherwise : fmt::format("did you mean {}{}?", dashes, nearest);
}

std::string JoinChoices(const std::vector<std::string>& choices) { return fmt::format("{}", fmt::join(choices, "|")); }

// Values stay text for Boost, so that the errors about them are ours.
const po::value_semantic* Semantic(bool is_switch, const std::string& value_name) {
  if (is_switch) return po::bool_switch();
  return po::value<std::vector<std::string>>()->value_name(value_name);
}

}  // namespace

OptionSet::OptionSet(std::string verb, std::string description)
    : verb_(std::move(verb)), description_(std::move(description)), group_(kCommonGroup) {
  Add("config", &config_, "FILE", "read options from this ini file (key = value); options given as flags win");
  AddSwitch("quiet", &quiet_, "no log and no progress on stderr, errors only");
  AddSwitch("verbose", &verbose_, "more in the log");
  AddSwitch("help", &help_, "print this text (also -h)");
  group_ = kDefaultGroup;
}

void OptionSet::Group(std::string title) { group_ = std::move(title); }

void OptionSet::Add(std::string name, Target target, std::string value_name, std::string help, Range range) {
  PD_CHECK(Find(name) == nullptr, "option --{} is declared twice", name);
  options_.push_back({std::move(name), group_, std::move(value_name), std::move(help), target, range, {}});
}

void OptionSet::AddChoice(std::string name, std::string* target, std::vector<std::string> choices, std::string help) {
  Add(std::move(name), target, JoinChoices(choices), std::move(help));
  options_.back().choices = std::move(choices);
}

void OptionSet::AddSwitch(std::string name, bool* target, std::string help) {
  Add(std::move(name), target, "", std::move(help));
}

void OptionSet::AddPositional(std::string name, Target target, std::string help, bool required) {
  positionals_.push_back({std::move(name), std::move(help), target, required});
}
bool OptionSet::Parse(const Arguments& arguments) {
  const std::vector<std::string> words = ParseFlags(arguments);
  if (help_ || std::ranges::find(words, "-h") != words.end()) {
    Print(Help());
    return false;
  }
  SetPositionals(words);
  if (!config_.empty()) ParseConfigFile(config_);
  if (quiet_ && verbose_) throw base::UsageError("--quiet and --verbose exclude each other", verb_, "give one of them");
  base::SetLogLevel(quiet_ ? base::LogLevel::kQuiet : verbose_ ? base::LogLevel::kDebug : base::LogLevel::kInfo);
  return true;
}

std::vector<std::string> OptionSet::ParseFlags(const Arguments& arguments) {
  po::options_description all;
  for (const Option& option : options_) {
    const bool is_switch = std::holds_alternative<bool*>(option.target);
    all.add_options()(option.name.c_str(), Semantic(is_switch, option.value_name), "");
  }
  all.add_options()(kWords, po::value<std::vector<std::string>>(), "");
  po::positional_options_description positional;
  positional.add(kWords, -1);
  const int style = po::command_line_style::allow_long | po::command_line_style::long_allow_next |
                    po::command_line_style::long_allow_adjacent;
  std::vector<std::string> words;
  try {
    const auto parsed = po::command_line_parser(arguments).options(all).positional(positional).style(style).run();
    for (const auto& found : parsed.options) {
      if (found.string_key == kWords) {
        words.insert(words.end(), found.value.begin(), found.value.end());
      } else {
        SetOption(*Find(found.string_key), found.value, "--" + found.string_key);
      }
    }
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    throw base::UsageError("unknown option", "--" + name,
                           Suggestion(name, Names(), "--", fmt::format("see pdarts {} --help", verb_)));
  } catch (const po::error& error) {
    throw base::UsageError(error.what(), verb_, fmt::format("see pdarts {} --help", verb_));
  }
  return words;
}

void OptionSet::SetOption(Option& option, const std::vector<std::string>& values, const std::string& where) {
  const bool is_list = std::holds_alternative<std::vector<std::string>*>(option.target);
  if (option.given && !is_list) throw base::UsageError("given twice", where, "give it once");
  if (values.empty()) SetTarget(option.target, "", option.range, where);
  for (const std::string& value : values) {
    const bool known = option.choices.empty() || std::ranges::find(option.choices, value) != option.choices.end();
    if (!known) {
      throw base::UsageError(fmt::format("'{}' is not one of {}", value, JoinChoices(option.choices)), where,
                             Suggestion(value, option.choices, "", "choose one of them"));
    }
    SetTarget(option.target, value, option.range, where);
  }
  option.given = true;
}

void OptionSet::ParseConfigFile(const std::string& path) {
  const std::string content = base::ReadFile(path);
  if (content.starts_with('{'))
    throw base::UsageError("this is JSON, not an ini file", path,
                           "write key = value lines; the config.json of a run is read by --resume --out DIR");
  std::istringstream text(content);
  po::parsed_options parsed(nullptr);
  try {
    parsed = po::parse_config_file(text, po::options_description(), /*allow_unregistered=*/true);
  } catch (const po::invalid_config_file_syntax& error) {
    // Not its what(), which never ends where the line itself holds one of Boost's placeholders (%invalid_line%).
    throw base::UsageError(fmt::format("'{}' is no key = value", error.tokens()), path,
                           "lines are key = value, # comment, or [verb]");
  } catch (const po::error& error) {
    throw base::UsageError(error.what(), path, "lines are key = value, # comment, or [verb]");
  }
  // Flags came first and win; a key that stands in the file twice is still a mistake.
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& found : parsed.options) {
    std::string key = found.string_key;
    if (const size_t dot = key.find('.'); dot != std::string::npos) {
      const std::string section = key.substr(0, dot);
      FindCommand(section, path);      // a section is named after a verb
      if (section != verb_) continue;  // the section of another verb
      key.erase(0, dot + 1);
    }
    Option* option = Find(key);
    if (option == nullptr || option->name == "config" || option->name == "help") {
      throw base::UsageError(
          fmt::format("unknown key '{}'", key), path,
          Suggestion(key, Names(), "", fmt::format("the keys are the options of pdarts {} --help", verb_)));
    }
    if (!option->given) values[key].insert(values[key].end(), found.value.begin(), found.value.end());
  }
  for (const auto& [key, texts] : values) {
    for (const std::string& value : texts) SetOption(*Find(key), {value}, fmt::format("{}: {}", path, key));
  }
}

void OptionSet::SetPositionals(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.size() < 2 || word[0] != '-') continue;
    throw base::UsageError("unknown option", word,
                           Suggestion(word.substr(1), Names(), "--", fmt::format("see pdarts {} --help", verb_)));
  }
  size_t next = 0;
  for (const Positional& positional : positionals_) {
    if (next == words.size() && positional.required) {
      throw base::UsageError(fmt::format("{} is missing", positional.name), verb_,
                             fmt::format("see pdarts {} --help", verb_));
    }
    const bool is_list = std::holds_alternative<std::vector<std::string>*>(positional.target);
    const size_t end = is_list ? words.size() : std::min(next + 1, words.size());
    for (; next < end; ++next) SetTarget(positional.target, words[next], {}, positional.name);
  }
  if (next < words.size()) {
    throw base::UsageError(fmt::format("'{}' is one word too many", words[next]), verb_,
                           fmt::format("see pdarts {} --help", verb_));
  }
}

std::string OptionSet::HelpOfGroup(const std::string& group) const {
  po::options_description description(group, kHelpWidth, kDescriptionWidth);
  for (const Option& option : options_) {
    if (option.group != group) continue;
    const bool is_switch = std::holds_alternative<bool*>(option.target);
    const std::string shown = is_switch ? "" : ShowTarget(option.target);
    const std::string help = shown.empty() ? option.help : fmt::format("{} (default: {})", option.help, shown);
    description.add_options()(option.name.c_str(), Semantic(is_switch, option.value_name), help.c_str());
  }
  std::ostringstream text;
  text << "\n" << description;
  return text.str();
}

std::string OptionSet::Help() const {
  std::string usage = fmt::format("usage: pdarts {} [options]", verb_), words;
  for (const Positional& positional : positionals_) {
    const bool is_list = std::holds_alternative<std::vector<std::string>*>(positional.target);
    const std::string name = positional.name + (is_list ? "..." : "");
    usage += positional.required ? " " + name : fmt::format(" [{}]", name);
    words += fmt::format("  {:<12} {}\n", positional.name, positional.help);
  }
  std::string text = fmt::format("{}\n\n{}\n", usage, description_);
  if (!words.empty()) text += "\n" + words;
  std::vector<std::string> shown{kCommonGroup};
  for (const Option& option : options_) {
    if (std::ranges::find(shown, option.group) != shown.end()) continue;
    text += HelpOfGroup(option.group);
    shown.push_back(option.group);
  }
  return text + HelpOfGroup(kCommonGroup);
}

bool OptionSet::Given(const std::string& name) const {
  const auto found = std::ranges::find(options_, name, &Option::name);
  PD_CHECK(found != options_.end(), "no option --{}", name);
  return found->given;
}

void OptionSet::TakeStored(const std::map<std::string, std::string>& values, const std::string& where) {
  for (Option& option : options_) {
    const auto found = values.find(option.name);
    if (option.given || found == values.end()) continue;
    SetOption(option, {found->second}, fmt::format("{}: {}", where, option.name));
    option.given = false;
  }
}

OptionSet::Option* OptionSet::Find(const std::string& name) {
  const auto found = std::ranges::find(options_, name, &Option::name);
  return found == options_.end() ? nullptr : &*found;
}

std::vector<std::string> OptionSet::Names() const {
  std::vector<std::string> names;
  for (const Option& option : options_) names.push_back(option.name);
  return names;
}

}  // namespace pdarts::cli
