// SPDX-License-Identifier: MIT
#include "rtactl/mcp/command_tools.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ranges>
#include <utility>

#include "rtactl/context/dispatch.h"
#include "rtactl/context/error_report.h"
#include "rtactl/language/edit_options.h"
#include "rtactl/language/invocation.h"
#include "rtactl/language/lexer.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::rtactl::mcp {

namespace {

constexpr std::string_view kChannels[] = {"--channels"};
constexpr std::string_view kUndoOptions[] = {"--force", "--all"};
constexpr std::string_view kOneEvent[] = {"--count", "1"};

constexpr CommandTool kTools[] = {
    {.command = "status"},
    {.command = "devices"},
    {.command = "types"},
    {.command = "graph show"},
    {.command = "get"},
    {.command = "meter", .fixed = kOneEvent},
    {.command = "response", .options = kChannels},
    {.command = "history"},
    {.command = "pending"},
    {.command = "wait", .details = true},
    {.command = "undo", .options = kUndoOptions, .edits = true},
    {.command = "redo", .options = kUndoOptions, .edits = true},
};

/// More would not help a model, and fill its memory.
constexpr std::size_t kMaximumResultBytes = std::size_t{1} << 20U;

/// "graph show" is graph_show, NODE[.PARAM] node_param, --all all.
std::string identifier(std::string_view text) {
    std::string name;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!name.empty() && name.back() != '_') {
            name += '_';
        }
    }
    while (name.ends_with('_')) name.pop_back();
    return name;
}

bool offers(const CommandTool& tool, const Option& option) {
    return std::ranges::find(tool.options, option.name) != tool.options.end();
}

void put_argument(JsonWriter& writer, const Argument& argument) {
    put_key(writer, identifier(argument.name));
    writer.StartObject();
    const bool list = argument.maximum > 1;
    put(writer, "type", list ? "array" : "string");
    if (list) {
        put_key(writer, "items");
        writer.StartObject();
        put(writer, "type", "string");
        writer.EndObject();
    }
    put(writer, "description",
        std::string{argument.name} + (list ? ", one word an element" : "") + ", as rtactl takes it.");
    if (!argument.choices.empty()) {
        put_key(writer, "enum");
        writer.StartArray();
        for (const std::string_view choice : argument.choices) put_text(writer, choice);
        writer.EndArray();
    }
    writer.EndObject();
}

void put_option(JsonWriter& writer, const Option& option) {
    put_key(writer, identifier(option.name));
    writer.StartObject();
    put(writer, "type", option.value_name.empty() ? "boolean" : "string");
    put(writer, "description", option.help);
    writer.EndObject();
}

void put_schema(JsonWriter& writer, const Command& command, const CommandTool& tool) {
    writer.StartObject();
    put(writer, "type", "object");
    put_key(writer, "properties");
    writer.StartObject();
    for (const Argument& argument : command.arguments) {
        if (!argument.name.empty()) put_argument(writer, argument);
    }
    for (const Option& option : command.options) {
        if (offers(tool, option)) put_option(writer, option);
    }
    writer.EndObject();
    put_key(writer, "required");
    writer.StartArray();
    for (const Argument& argument : command.arguments) {
        if (argument.name.empty() || argument.minimum == 0) continue;
        put_text(writer, identifier(argument.name));
    }
    writer.EndArray();
    put_key(writer, "additionalProperties");
    writer.Bool(false);
    writer.EndObject();
}

using Words = std::expected<std::vector<std::string>, std::string>;

/// A number is accepted in place of its text.
std::expected<std::string, std::string> word_of(std::string_view name, const Json& value) {
    if (value.is(Json::Kind::string) || value.is(Json::Kind::number)) return value.text;
    return std::unexpected("invalid argument " + quoted(name) + ": expected text");
}

std::expected<void, std::string> append_argument(const Argument& argument, const Json& value,
                                                 std::vector<std::string>& words) {
    const std::string name = identifier(argument.name);
    if (argument.maximum == 1) {
        auto word = word_of(name, value);
        if (!word) return std::unexpected(std::move(word.error()));
        words.push_back(std::move(*word));
        return {};
    }
    if (!value.is(Json::Kind::array))
        return std::unexpected("invalid argument " + quoted(name) + ": expected a list of texts");
    for (const Json& element : value.elements) {
        auto word = word_of(name, element);
        if (!word) return std::unexpected(std::move(word.error()));
        words.push_back(std::move(*word));
    }
    return {};
}

std::expected<void, std::string> append_option(const Option& option, const Json& value,
                                               std::vector<std::string>& words) {
    if (option.value_name.empty()) {
        if (!value.is(Json::Kind::boolean))
            return std::unexpected("invalid argument " + quoted(identifier(option.name)) + ": expected true or false");
        if (value.flag) words.emplace_back(option.name);
        return {};
    }
    auto word = word_of(identifier(option.name), value);
    if (!word) return std::unexpected(std::move(word.error()));
    words.push_back(std::string{option.name} + "=" + *word);
    return {};
}

/// Returns the words of a command line. What the caller has given comes after `--`, so that it cannot be an option.
Words words_of(const Command& command, const CommandTool& tool, const Json* arguments) {
    std::vector<std::string> known;
    std::vector<std::string> options{tool.fixed.begin(), tool.fixed.end()};
    std::vector<std::string> given;
    const auto value_of = [&](std::string_view name) -> const Json* {
        known.push_back(identifier(name));
        return arguments == nullptr ? nullptr : arguments->find(known.back());
    };
    for (const Argument& argument : command.arguments) {
        if (argument.name.empty()) continue;
        const Json* const value = value_of(argument.name);
        if (value == nullptr) continue;
        if (auto taken = append_argument(argument, *value, given); !taken) return std::unexpected(taken.error());
    }
    for (const Option& option : command.options) {
        if (!offers(tool, option)) continue;
        const Json* const value = value_of(option.name);
        if (value == nullptr) continue;
        if (auto taken = append_option(option, *value, options); !taken) return std::unexpected(taken.error());
    }
    if (arguments != nullptr) {
        for (const std::string& name : arguments->names) {
            const std::vector<std::string_view> names{known.begin(), known.end()};
            if (std::ranges::find(names, name) == names.end())
                return std::unexpected(unknown_name("argument", name, names));
        }
    }
    std::vector<std::string> words;
    for (const auto part : std::views::split(command.name, ' ')) words.emplace_back(std::string_view{part});
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), given.begin(), given.end());
    return words;
}

}  // namespace

ToolResult invalid_arguments(std::string sentence) {
    v1::Response response;
    response.mutable_status()->set_code(v1::INVALID_ARGUMENT);
    response.mutable_status()->set_message(std::move(sentence));
    return {.json = to_json(response), .error = true};
}

Result<void> CommandRunner::dispatch_words(std::span<const std::string> words) {
    auto invocation = parse_invocation(context_.commands(), words, Place::shell);
    if (!invocation) return std::unexpected(std::move(invocation.error()));
    if (invocation->command == nullptr || invocation->help) return usage_error("missing command");
    return dispatch(context_, *invocation);
}

Result<void> CommandRunner::dispatch_edit(std::string_view line) {
    const auto words = split_words(line);
    if (!words) return usage_error(words.error());
    const auto invocation = parse_invocation(context_.commands(), *words, Place::shell);
    if (!invocation) return std::unexpected(invocation.error());
    if (invocation->help || invocation->command == nullptr || !is_edit(*invocation->command))
        return usage_error(quoted(line) + " is not an edit; see the commands in the description of this tool");
    return dispatch(context_, *invocation);
}

ToolResult CommandRunner::conclude(const Result<void>& outcome) {
    if (!outcome) {
        output_.str({});
        report(context_.streams(), true, outcome.error());
    }
    std::string text = std::move(output_).str();
    output_.str({});
    while (text.ends_with('\n')) text.pop_back();
    text.erase(0, text.rfind('\n') + 1);  // the last line is the result; before it, a subscription is answered
    if (text.size() > kMaximumResultBytes) {
        return invalid_arguments("the result has " + std::to_string(text.size()) + " bytes; expected at most " +
                                 std::to_string(kMaximumResultBytes) + ": ask for less, such as one node");
    }
    return {.json = text.empty() ? "{}" : std::move(text), .error = !outcome};
}

ToolResult CommandRunner::run(std::span<const std::string> words, bool reads) {
    context_.line = 1;  // as in a shell: global options are refused
    output_.str({});
    auto outcome = dispatch_words(words);
    if (!outcome && outcome.error().transient && reads && outcome.error().code != v1::DEADLINE_EXCEEDED) {
        output_.str({});
        outcome = dispatch_words(words);
    }
    return conclude(outcome);
}

ToolResult CommandRunner::run_transaction(std::span<const std::string> lines, std::span<const std::string> options) {
    context_.line = 0;
    output_.str({});
    context_.transaction() = PendingTransaction{.begin_line = 1};
    Result<void> outcome;
    for (const std::string& line : lines) {
        ++context_.line;
        context_.line_text = line;
        outcome = dispatch_edit(line);
        if (!outcome) break;
    }
    if (outcome) {
        std::vector<std::string> commit{"commit"};
        commit.insert(commit.end(), options.begin(), options.end());
        outcome = dispatch_words(commit);
    } else {
        outcome.error().sentence = quoted(context_.line_text) + ": " + outcome.error().sentence;
    }
    context_.transaction().reset();
    return conclude(outcome);
}

std::span<const CommandTool> command_tools() { return kTools; }

const CommandTool* find_command_tool(std::string_view name) {
    const auto* const found =
        std::ranges::find_if(kTools, [&](const CommandTool& tool) { return identifier(tool.command) == name; });
    return found == std::ranges::end(kTools) ? nullptr : found;
}

void put_annotations(JsonWriter& writer, bool reads) {
    put_key(writer, "annotations");
    writer.StartObject();
    put_key(writer, "readOnlyHint");
    writer.Bool(reads);
    put_key(writer, "destructiveHint");
    writer.Bool(false);  // undo brings everything back
    put_key(writer, "openWorldHint");
    writer.Bool(false);
    writer.EndObject();
}

void describe(const CommandTable& commands, const CommandTool& tool, JsonWriter& writer) {
    const Command& command = *commands.find(tool.command);
    writer.StartObject();
    put(writer, "name", identifier(tool.command));
    put(writer, "description",
        std::string{command.help} + (tool.details ? "\n" + std::string{command.details} : std::string{}));
    put_key(writer, "inputSchema");
    put_schema(writer, command, tool);
    put_annotations(writer, !tool.edits);
    writer.EndObject();
}

ToolResult call(CommandRunner& runner, const CommandTool& tool, const Json* arguments) {
    const auto words = words_of(*runner.context().commands().find(tool.command), tool, arguments);
    if (!words) return invalid_arguments(words.error());
    return runner.run(*words, !tool.edits);
}

bool is_edit(const Command& command) {
    const bool edits = std::ranges::any_of(command.options, &Option::of_edits);
    const bool file = std::ranges::any_of(command.arguments, [](const Argument& argument) {
        return !argument.name.empty() && argument.expects == Expects::file;
    });
    return edits && !file && command.in_transaction == InTransaction::collected;
}

}  // namespace rta::rtactl::mcp
