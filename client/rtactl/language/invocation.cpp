// SPDX-License-Identifier: MIT
#include "rtactl/language/invocation.h"

#include <algorithm>
#include <array>

#include "text/quoting.h"
#include "text/suggestion.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

constexpr std::array kGlobalOptions{
    Option{
        "--host", "HOST[:PORT]",
        "Connect to a host that the configuration file names, or to this address over TCP; default port 7340, IPv6 as "
        "[::1]:7340. Any address but loopback uses TLS.",
        Expects::host},
    Option{"--socket", "PATH", "Connect to the daemon over this Unix socket.", Expects::file},
    Option{.name = "--tls", .value_name = "", .help = "Use TLS on loopback, too.", .of_host = true},
    Option{"--tls-ca", "FILE", "Accept a certificate for HOST that an authority in this PEM file has signed.",
           Expects::file, true},
    Option{"--tls-fingerprint", "SHA256:...",
           "Accept only the certificate with this fingerprint, which `rtad` logs at start; default: trust a host on "
           "first use.",
           Expects::text, true},
    Option{
        "--tls-cert", "FILE",
        "Show the certificate in this PEM file instead of a token, to a daemon with `tls-client-ca`; requires --tls-key.",
        Expects::file, true},
    Option{"--tls-key", "FILE",
           "The private key of the certificate, in PEM, which other users must not be able to read.", Expects::file,
           true},
    Option{"--token-file", "FILE", "Send the access token in this file, which other users must not be able to read.",
           Expects::file, true},
    Option{
        "--timeout", "S",
        "Set the timeout for connecting and for each response; default 10 s. A change must take effect in half of it.",
        Expects::text, true},
    Option{"--json", "", "Print the daemon's response, or the error, as one line of JSON on stdout, and nothing else."},
    Option{"--help", "", "Print help, or the help of the given command."},
    Option{"--version", "", "Print the version."},
};

/// "-6", "-.5", "-inf": a number, not an option.
bool is_negative_number(std::string_view word) {
    return word.size() > 1 &&
           ((word[1] >= '0' && word[1] <= '9') || word[1] == '.' || word.substr(1).starts_with("inf"));
}

bool is_available(const Command& command, Place place) {
    return command.place == Place::anywhere || command.place == place ||
           (command.place == Place::program && place == Place::command_line);
}

std::string join(std::span<const std::string_view> words) {
    std::string text;
    for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
    return text;
}

std::string help_hint(Place place) { return place == Place::shell ? "`help`" : "`rtactl --help`"; }

/// Parses the words in one pass: each is an option, the value of an option, part of the command's name, or an argument.
class Parser {
 public:
    Parser(const CommandTable& table, std::span<const std::string> words, Place place)
        : table_{table}, words_{words}, place_{place} {}

    Result<Invocation> parse() {
        while (!words_.empty()) {
            const std::string& word = take();
            if (first_invalid_utf8(word) != word.size())
                return usage_error("invalid argument " + quoted(word) + ": expected UTF-8");
            Result<void> taken;
            if (!only_words_ && word == "--") {
                only_words_ = true;
            } else if (!only_words_ && is_option(word)) {
                taken = take_option(word);
            } else if (invocation_.command == nullptr) {
                taken = take_command(word);
            } else {
                invocation_.arguments.words.push_back(word);
            }
            if (!taken) return std::unexpected(std::move(taken.error()));
        }
        if (invocation_.command == nullptr) invocation_.group = group_;
        if (!invocation_.group.empty() && !invocation_.help) {
            return usage_error(quoted(group_) + " is not a complete command: write " + group_ + " and one of " +
                               join(table_.second_words(group_)));
        }
        if (auto checked = check_count(); !checked) return std::unexpected(std::move(checked.error()));
        return std::move(invocation_);
    }

 private:
    const std::string& take() {
        const std::string& word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    Result<void> take_command(const std::string& word) {
        const std::string name = group_.empty() ? word : group_ + " " + word;
        if (const Command* command = table_.find(name); command != nullptr) {
            if (!is_available(*command, place_)) {
                return usage_error(place_ == Place::shell ? name + " is not available inside the shell"
                                                          : name + " is only available inside `rtactl shell`");
            }
            invocation_.command = command;
            return {};
        }
        if (group_.empty() && !table_.second_words(word).empty()) {
            group_ = word;
            return {};
        }
        const std::vector<std::string_view> existing =
            group_.empty() ? table_.first_words(place_) : table_.second_words(group_);
        const std::string in_group = group_.empty() ? "" : group_ + " ";
        const std::string_view closest = closest_name(word, existing);
        const std::string meant = closest.empty() ? grouped_command(word) : in_group + std::string{closest};
        return usage_error("unknown command " + quoted(in_group + word) +
                           (meant.empty() ? "; " + (group_.empty() ? help_hint(place_) + " lists all commands"
                                                                   : "expected one of: " + join(existing))
                                          : "; did you mean " + quoted(meant) + "?"));
    }

    /// Returns "graph load" for "load" or "lod", and for "graph-load"; empty if the word is in no group.
    std::string grouped_command(std::string_view word) const {
        if (!group_.empty()) return {};
        std::vector<std::string_view> names;
        std::vector<std::string_view> seconds;
        for (const Command* command : table_.all()) {
            const std::size_t blank = command->name.find(' ');
            if (blank == std::string_view::npos || !is_available(*command, place_)) continue;
            names.push_back(command->name);
            seconds.push_back(command->name.substr(blank + 1));
        }
        const auto second = std::ranges::find(seconds, closest_name(word, seconds));
        if (second != seconds.end()) return std::string{names[static_cast<std::size_t>(second - seconds.begin())]};
        return std::string{closest_name(word, names)};
    }

    Result<void> take_option(const std::string& word) {
        const std::size_t equals = word.find('=');
        std::string name = word.substr(0, equals);
        if (name == "-h") name = "--help";
        if (name == "--help" && equals == std::string::npos) {
            invocation_.help = true;
            return {};
        }
        const Option* option =
            invocation_.command == nullptr ? nullptr : find_option(invocation_.command->options, name);
        Arguments* owner = &invocation_.arguments;
        if (option == nullptr) {
            option = find_option(global_options(), name);
            owner = &invocation_.globals;
            if (option != nullptr && place_ == Place::shell) {
                return usage_error(name +
                                   " is not available inside the shell: give it to rtactl itself, before `shell`");
            }
        }
        if (option == nullptr && invocation_.command != nullptr && is_of_another_command(name)) {
            return usage_error(std::string{invocation_.command->name} + " does not take " + name +
                               "; expected one of: " + join(option_names()));
        }
        if (option == nullptr) return usage_error(unknown_name("option", name, option_names()));
        if (option->value_name.empty()) {
            if (equals != std::string::npos) return usage_error(name + " takes no value");
            owner->options[name] = "";
            return {};
        }
        if (equals == std::string::npos && words_.empty()) {
            return usage_error(name + " needs a value: " + name + " " + std::string{option->value_name});
        }
        owner->options[name] = equals == std::string::npos ? take() : word.substr(equals + 1);
        return {};
    }

    bool is_of_another_command(std::string_view name) const {
        return std::ranges::any_of(
            table_.all(), [&](const Command* command) { return find_option(command->options, name) != nullptr; });
    }

    std::vector<std::string_view> option_names() const {
        std::vector<std::string_view> names;
        if (invocation_.command != nullptr) {
            for (const Option& option : invocation_.command->options) names.push_back(option.name);
        }
        if (place_ == Place::shell) {
            names.emplace_back("--help");
        } else {
            for (const Option& option : global_options()) names.push_back(option.name);
        }
        return names;
    }

    Result<void> check_count() const {
        const Command* command = invocation_.command;
        if (command == nullptr || invocation_.help) return {};
        const std::size_t count = invocation_.arguments.words.size();
        const std::size_t maximum = command->maximum_words();
        if (count >= command->minimum_words() && count <= maximum) return {};
        std::string usage = std::string{command->name};
        if (maximum > 0) usage.append(" ").append(arguments_text(*command));
        if (count < command->minimum_words()) return usage_error("missing argument; usage: " + usage);
        return usage_error("unexpected argument " + quoted(invocation_.arguments.words[maximum]) + "; usage: " + usage);
    }

    const CommandTable& table_;
    std::span<const std::string> words_;
    Place place_;
    bool only_words_ = false;  ///< after `--`
    std::string group_;        ///< "graph", until its second word follows
    Invocation invocation_;
};

}  // namespace

std::span<const Option> global_options() { return kGlobalOptions; }

const Option* find_option(std::span<const Option> options, std::string_view name) {
    const auto found = std::ranges::find(options, name, &Option::name);
    return found == options.end() ? nullptr : &*found;
}

std::vector<std::string_view> host_keys() {
    std::vector<std::string_view> keys{"address"};
    for (const Option& option : kGlobalOptions) {
        if (option.of_host) keys.push_back(option.name.substr(2));
    }
    return keys;
}

bool is_option(std::string_view word) {
    return word.size() > 1 && word[0] == '-' && !is_negative_number(word) && !word.starts_with("-=");
}

Result<Invocation> parse_invocation(const CommandTable& table, std::span<const std::string> words, Place place) {
    return Parser{table, words, place}.parse();
}

}  // namespace rta::rtactl
