// SPDX-License-Identifier: MIT
#include "rtactl/terminal/completion.h"

#include <algorithm>
#include <filesystem>

#include "rtactl/drawing/type_page.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/lexer.h"
#include "rtactl/language/type_table.h"
#include "rtactl/terminal/completion_scripts.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

/// What stands in front of the word at the cursor.
struct Context {
    const Command* command = nullptr;  ///< nullptr: none yet
    std::string group;                 ///< "graph", until its second word has come
    std::vector<std::string> words{};  ///< the command's, without options
    Arguments globals{};
    std::vector<std::string> options{};    ///< names of those that were given
    const Option* awaits_value = nullptr;  ///< the option whose value the word at the cursor is
    bool only_words = false;               ///< behind `--`
};

const Option* find_option(const Context& context, Place place, std::string_view name) {
    const Option* option = context.command == nullptr ? nullptr : find_option(context.command->options, name);
    return option == nullptr && place != Place::shell ? find_option(global_options(), name) : option;
}

void read_option(Context& context, Place place, const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Option* option = find_option(context, place, name);
    context.options.push_back(name);
    if (option == nullptr) return;
    if (equals != std::string::npos) {
        context.globals.options[name] = word.substr(equals + 1);
    } else if (!option->value_name.empty()) {
        context.awaits_value = option;
    }
}

void read_name(Context& context, const std::string& word) {
    const std::string name = context.group.empty() ? word : context.group + " " + word;
    context.command = find_command(name);
    if (context.command == nullptr) context.group = name;
}

/// As parse_invocation() has it, but what is wrong in front of the cursor is not this one's concern.
Context read_context(std::span<const std::string> words, Place place) {
    Context context;
    for (const std::string& word : words) {
        if (context.awaits_value != nullptr) {
            context.globals.options[std::string{context.awaits_value->name}] = word;
            context.awaits_value = nullptr;
        } else if (!context.only_words && word == "--") {
            context.only_words = true;
        } else if (!context.only_words && is_option(word)) {
            read_option(context, place, word);
        } else if (context.command == nullptr) {
            read_name(context, word);
        } else {
            context.words.push_back(word);
        }
    }
    return context;
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts{""};
    char quote = '\0';
    for (const char c : text) {
        if (quote == '\0' && c == ',') {
            parts.emplace_back();
            continue;
        }
        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        }
        parts.back() += c;
    }
    return parts;
}

/// The settings among the assignments, as far as they are good.
google::protobuf::Struct settings_among(const v1::NodeType& type, std::span<const std::string> assignments) {
    google::protobuf::Struct settings;
    for (const std::string& text : assignments) {
        const auto assignment = parse_assignment(text);
        if (!assignment) continue;
        auto value = resolve(&type, *assignment);
        if (!value) continue;
        if (auto* setting = std::get_if<google::protobuf::Value>(&*value))
            (*settings.mutable_fields())[assignment->name] = std::move(*setting);
    }
    return settings;
}

/// One word's candidates, as one Expects after the other is tried on it.
class Offers {
 public:
    Offers(std::string_view word, const Context& context, Place place, Knowledge& knowledge)
        : word_{word}, context_{context}, place_{place}, knowledge_{knowledge} {}

    Completion take() {
        if (context_.awaits_value != nullptr) {
            expect(context_.awaits_value->expects);
        } else if (!context_.only_words && (word_ == "-" || is_option(word_))) {
            options();
        } else if (context_.command == nullptr) {
            names(context_.group, place_);
        } else if (const Argument* argument = context_.command->argument_at(context_.words.size())) {
            expect(argument->expects);
        }
        return std::move(completion_);
    }

 private:
    void add(std::string text, std::string_view help = {}, bool final = true) {
        if (text.starts_with(word_)) completion_.candidates.push_back({std::move(text), std::string{help}, final});
    }
    /// A word that may end here or go on behind `separator`, which is offered once the word is there.
    void add_open(const std::string& text, char separator, std::string_view help) {
        add(text == word_ ? text + separator : text, help, false);
    }

    bool given(std::string_view word) const { return std::ranges::find(context_.words, word) != context_.words.end(); }

    // ---- commands and options --------------------------------------------------------------------------------------

    void names(const std::string& group, Place place) {
        for (const std::string_view name : group.empty() ? first_words(place) : second_words(group)) {
            const Command* command = find_command(group.empty() ? std::string{name} : group + " " + std::string{name});
            add(std::string{name}, command == nullptr ? std::string_view{} : command->help);
        }
    }

    void options() {
        if (const std::size_t equals = word_.find('='); equals != std::string_view::npos) {
            const Option* option = find_option(context_, place_, word_.substr(0, equals));
            if (option != nullptr && option->expects == Expects::file) completion_.file = equals + 1;
            return;
        }
        const auto offer = [&](std::span<const Option> all) {
            for (const Option& option : all) {
                if (std::ranges::find(context_.options, option.name) == context_.options.end())
                    add(std::string{option.name}, option.help);
            }
        };
        if (context_.command != nullptr) offer(context_.command->options);
        if (place_ != Place::shell) {
            offer(global_options());
        } else if (const Option* help = find_option(global_options(), "--help")) {
            offer({help, 1});
        }
    }

    void command_words() {
        if (context_.words.empty()) {
            names("", Place::command_line);
            for (const std::string_view name : first_words(Place::shell)) {
                const Command* command = find_command(name);
                if (command != nullptr && command->place == Place::shell) add(std::string{name}, command->help);
            }
        } else {
            names(context_.words.front(), Place::anywhere);
        }
    }

    // ---- types and their values ------------------------------------------------------------------------------------

    const v1::NodeType* type_named(std::string_view name) {
        const v1::NodeTypesResult* types = knowledge_.types();
        return types == nullptr ? nullptr : find_type(*types, name);
    }

    void types(char separator = '\0') {
        const v1::NodeTypesResult* all = knowledge_.types();
        if (all == nullptr) return;
        for (const v1::NodeType& type : all->types()) {
            if (separator == '\0') {
                add(type.name(), type.help());
            } else {
                add_open(type.name(), separator, type.help());
            }
        }
    }

    /// TYPE:p=v,p=v
    void chain_link() {
        const std::size_t colon = word_.find(':');
        if (colon == std::string_view::npos) return types(':');
        const v1::NodeType* type = type_named(word_.substr(0, colon));
        std::vector<std::string> assignments = split_at_commas(word_.substr(colon + 1));
        const std::size_t begin = word_.size() - assignments.back().size();
        assignments.pop_back();
        if (type != nullptr) assignment(begin, *type, settings_among(*type, assignments), assignments);
    }

    void type_value() {
        const v1::NodeType* type = type_named(context_.words.front());
        if (type != nullptr) assignment(0, *type, settings_among(*type, context_.words), context_.words);
    }

    /// NODE.PARAM=VALUE, or, with `may_end`, NODE[.PARAM].
    void node_value(bool may_end) {
        const KnownGraph* graph = knowledge_.graph();
        if (graph == nullptr) return;
        const std::size_t dot = word_.find('.');
        if (dot == std::string_view::npos) {
            for (const auto& [name, node] : graph->nodes()) {
                if (may_end) {
                    add_open(name, '.', node.type);
                } else {
                    add(name + '.', node.type, false);
                }
            }
            return;
        }
        const KnownGraph::NodeInfo* node = graph->find(word_.substr(0, dot));
        const v1::NodeType* type = node == nullptr ? nullptr : type_named(node->type);
        if (type == nullptr) return;
        if (may_end) {
            value_names(dot + 1, *type, node->settings, "", {});
        } else {
            assignment(dot + 1, *type, node->settings, context_.words);
        }
    }

    /// NAME=VALUE from byte `begin` of the word on; what `others` assign is not offered again.
    void assignment(std::size_t begin, const v1::NodeType& type, const google::protobuf::Struct& settings,
                    std::span<const std::string> others) {
        const std::size_t equals = word_.find('=', begin);
        if (equals == std::string_view::npos) return value_names(begin, type, settings, "=", others);
        completion_.stem = equals + 1;
        value_of(word_.substr(begin, equals - begin), type, settings);
    }

    void value_names(std::size_t begin, const v1::NodeType& type, const google::protobuf::Struct& settings,
                     const std::string& ending, std::span<const std::string> others) {
        completion_.stem = begin;
        // A link's assignments stand without its type, the others are words with all that stands before the name.
        const std::string front{context_.command->argument_at(context_.words.size())->expects == Expects::chain_link
                                    ? std::string_view{}
                                    : word_.substr(0, begin)};
        const auto offer = [&](const std::string& name, const std::string& help) {
            const bool taken = std::ranges::any_of(
                others, [&](const std::string& other) { return other.starts_with(front + name + "="); });
            if (!taken) add(std::string{word_.substr(0, begin)} + name + ending, help, ending.empty());
        };
        for (const v1::ParameterInfo& parameter : parameters_of(type, settings))
            offer(parameter.name(), parameter.help());
        for (const v1::SettingInfo& setting : type.settings()) offer(setting.name(), setting.help());
    }

    void value_of(std::string_view name, const v1::NodeType& type, const google::protobuf::Struct& settings) {
        const std::string front{word_.substr(0, completion_.stem)};
        for (const v1::ParameterInfo& parameter : parameters_of(type, settings)) {
            if (parameter.name() != name) continue;
            if (parameter.unit() == "on/off") return on_off(front);
            completion_.hint = range_text(parameter) + ", default " + default_text(parameter);
            return;
        }
        const v1::SettingInfo* setting = find_setting(type, name);
        if (setting == nullptr) return;
        if (setting->kind() == "on_off") return on_off(front);
        for (const std::string& choice : setting->choices()) add(front + choice);
        if (setting->choices_size() == 0)
            completion_.hint = range_text(*setting) + ", default " + default_text(*setting);
    }

    void on_off(const std::string& front) {
        add(front + "on");
        add(front + "off");
    }

    // ---- nodes and their ports -------------------------------------------------------------------------------------

    /// Those of which `wanted(node, its type)` is true, and which do not stand in front of the cursor already.
    template <class Wanted>
    void nodes(const Wanted& wanted) {
        const KnownGraph* graph = knowledge_.graph();
        if (graph == nullptr) return;
        for (const auto& [name, node] : graph->nodes()) {
            if (!given(name) && wanted(node, type_named(node.type))) add(name, node.type);
        }
    }
    void nodes_with(std::string_view parameter) {
        nodes([&](const KnownGraph::NodeInfo&, const v1::NodeType* type) {
            return type != nullptr && find_parameter(*type, parameter);
        });
    }

    void ports(bool output) {
        const KnownGraph* graph = knowledge_.graph();
        if (graph == nullptr) return;
        const std::size_t colon = word_.find(':');
        for (const auto& [name, node] : graph->nodes()) {
            const std::vector<std::string> ports = output ? graph->output_ports(name) : graph->input_ports(name);
            if (colon != std::string_view::npos) {
                if (name != word_.substr(0, colon)) continue;
                completion_.stem = colon + 1;
                for (const std::string& port : ports) add(name + ':' + port, node.type);
            } else if (ports.size() == 1) {
                add(name, node.type);
            } else if (ports.size() > 1) {
                add(name + ':', node.type, false);
            }
        }
    }

    /// The ends of connections: of all of them, or the other ends of those that the word before is one end of.
    void connected(bool output) {
        const KnownGraph* graph = knowledge_.graph();
        if (graph == nullptr) return;
        const std::string from = output ? "" : graph->full_output(context_.words.back());
        for (const KnownGraph::ConnectionInfo& connection : graph->connections()) {
            const bool leaves = output || connection.from == from || node_of(connection.from) == from;
            if (leaves) end(*graph, output ? connection.from : connection.to, output);
        }
    }

    /// The shortest way to write the port, once.
    void end(const KnownGraph& graph, const std::string& port, bool output) {
        const std::string node{node_of(port)};
        const std::string full = output ? graph.full_output(node) : graph.full_input(node);
        const std::string& text = full == port && word_.find(':') == std::string_view::npos ? node : port;
        if (std::ranges::find(completion_.candidates, text, &Candidate::text) == completion_.candidates.end())
            add(text, graph.find(node) == nullptr ? "" : graph.find(node)->type);
    }

    // ---- all of them -----------------------------------------------------------------------------------------------

    void expect(Expects expects) {
        switch (expects) {
            case Expects::text:
                return;
            case Expects::type:
                return types();
            case Expects::chain_link:
                return chain_link();
            case Expects::type_value:
                return type_value();
            case Expects::node:
                return nodes([](const auto&, const auto*) { return true; });
            case Expects::muted_node:
                return nodes_with("mute");
            case Expects::bypassed_node:
                return nodes_with("bypass");
            case Expects::meter_node:
                return nodes([](const KnownGraph::NodeInfo& node, const auto*) { return node.type == "meter"; });
            case Expects::node_value:
                return node_value(true);
            case Expects::node_assignment:
                return node_value(false);
            case Expects::output:
                return ports(true);
            case Expects::input:
                return ports(false);
            case Expects::connected_output:
                return connected(true);
            case Expects::connected_input:
                return connected(false);
            case Expects::connection_value:
                return add("gain_db=", "Gain of the connection.", false);
            case Expects::on_off:
                return on_off("");
            case Expects::topic:
                for (const std::string_view topic : topic_names()) {
                    if (!given(topic)) add(std::string{topic});
                }
                return;
            case Expects::command:
                return command_words();
            case Expects::terminal_shell:
                for (const TerminalShell& shell : terminal_shells()) add(std::string{shell.name});
                return;
            case Expects::file:
                completion_.file = 0;
                return;
        }
    }

    std::string_view word_;
    const Context& context_;
    Place place_;
    Knowledge& knowledge_;
    Completion completion_;
};

std::string common_front(std::span<const Candidate> candidates) {
    std::string front = candidates.front().text;
    for (const Candidate& candidate : candidates) {
        const auto [end, other] = std::ranges::mismatch(front, candidate.text);
        front.erase(end, front.end());
    }
    // Not half of a character.
    while (first_invalid_utf8(front) != front.size()) front.pop_back();
    return front;
}

}  // namespace

Completion complete(std::span<const std::string> words, Place place, Knowledge& knowledge) {
    if (words.empty()) return {};
    const Context context = read_context(words.first(words.size() - 1), place);
    return Offers{words.back(), context, place, knowledge}.take();
}

Arguments global_options_in(std::span<const std::string> words) {
    Context context = read_context(words, Place::command_line);
    std::erase_if(context.globals.options,
                  [](const auto& option) { return find_option(global_options(), option.first) == nullptr; });
    return std::move(context.globals);
}

namespace {

/// Anything else would do to the line and to the terminal what nobody typed.
bool can_be_typed(std::string_view name) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    // U+0080 to U+009F are controls too.
    const auto is_c1 = [](char first, char second) {
        return first == '\xC2' && static_cast<unsigned char>(second) < 0xA0;
    };
    return first_invalid_utf8(name) == name.size() && std::ranges::none_of(name, is_control) &&
           std::ranges::adjacent_find(name, is_c1) == name.end();
}

}  // namespace

std::vector<Candidate> complete_file(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const std::string_view begun = std::string_view{path}.substr(folder.size());
    std::vector<Candidate> candidates;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{folder.empty() ? "." : folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!can_be_typed(name) || !name.starts_with(begun) || (name.starts_with('.') && !begun.starts_with('.')))
            continue;
        std::error_code unknown;
        const bool is_folder = entry->is_directory(unknown);
        candidates.push_back({folder + name + (is_folder ? "/" : ""), "", !is_folder});
    }
    std::ranges::sort(candidates, {}, &Candidate::text);
    return candidates;
}

Typing complete_line(std::string_view line, Knowledge& knowledge) {
    const TypedWords typed = split_typed(line);
    if (typed.in_comment) return {};
    Completion completion = complete(typed.words, Place::shell, knowledge);
    if (completion.file) {
        const std::string& word = typed.words.back();
        const std::size_t slash = word.rfind('/');
        completion.candidates = complete_file(word.substr(*completion.file));
        for (Candidate& candidate : completion.candidates) candidate.text.insert(0, word, 0, *completion.file);
        completion.stem = slash == std::string::npos ? *completion.file : slash + 1;
    }
    if (completion.candidates.empty()) {
        if (completion.hint.empty()) return {};
        return {.inserted = {}, .shown = {{completion.hint, ""}}};
    }
    const std::string front = common_front(completion.candidates);
    const bool one = completion.candidates.size() == 1;
    Typing typing;
    if (one || front.size() > typed.words.back().size()) {
        typing.erased = line.size() - typed.last_begins;
        typing.inserted = escaped(front) + (one && completion.candidates.front().final ? " " : "");
        return typing;
    }
    for (Candidate& candidate : completion.candidates) {
        candidate.text.erase(0, completion.stem);
        typing.shown.push_back(std::move(candidate));
    }
    return typing;
}

}  // namespace rta::rtactl
