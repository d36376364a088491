// SPDX-License-Identifier: MIT
#include "rtactl/terminal/completion.h"

#include <algorithm>
#include <cstdint>

#include "rta/type_table.h"
#include "rtactl/drawing/type_page.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/condition.h"
#include "rtactl/language/invocation.h"
#include "rtactl/language/pattern.h"

namespace rta::rtactl {

namespace {

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

/// Returns the valid settings among the assignments.
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

/// Collects the candidates for one word.
class Offers {
 public:
    Offers(const CommandTable& table, std::string_view word, const CursorContext& context, Place place,
           CompletionSource& source)
        : table_{table}, word_{word}, context_{context}, place_{place}, source_{source} {}

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
    enum class Direction : std::uint8_t { input, output };
    enum class Form : std::uint8_t { name, assignment };

    void add(std::string text, std::string_view help = {}, bool final = true) {
        if (text.starts_with(word_)) completion_.candidates.push_back({std::move(text), std::string{help}, final});
    }
    /// Adds a word that may end here or continue after `separator`, which is offered once the word is complete.
    void add_open(const std::string& text, char separator, std::string_view help) {
        add(text == word_ ? text + separator : text, help, false);
    }

    bool given(std::string_view word) const { return std::ranges::find(context_.words, word) != context_.words.end(); }

    // ---- commands and options --------------------------------------------------------------------------------------

    void names(const std::string& group, Place place) {
        for (const std::string_view name : group.empty() ? table_.first_words(place) : table_.second_words(group)) {
            const Command* command = table_.find(group.empty() ? std::string{name} : group + " " + std::string{name});
            add(std::string{name}, command == nullptr ? std::string_view{} : command->help);
        }
    }

    void options() {
        if (const std::size_t equals = word_.find('='); equals != std::string_view::npos) {
            const Option* option = find_option(context_, place_, word_.substr(0, equals));
            if (option == nullptr) return;
            if (option->expects == Expects::file) completion_.file = equals + 1;
            if (option->expects == Expects::host) hosts(equals + 1);
            if (option->expects == Expects::role) roles(equals + 1);
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

    /// Offers the hosts for the word from byte `begin` on.
    void hosts(std::size_t begin) {
        completion_.stem = begin;
        const std::string front{word_.substr(0, begin)};
        for (const auto& [name, address] : source_.hosts()) add(front + name, address);
    }

    /// Offers the roles for the word from byte `begin` on.
    void roles(std::size_t begin) {
        const std::string front{word_.substr(0, begin)};
        completion_.stem = begin;
        add(front + "read", "Read and subscribe.");
        add(front + "control", "Change the graph and what is heard, too.");
        add(front + "admin", "Change the device and the access tokens, too.");
    }

    void command_words() {
        if (context_.words.empty()) {
            names("", Place::command_line);
            for (const std::string_view name : table_.first_words(Place::shell)) {
                const Command* command = table_.find(name);
                if (command != nullptr && command->place == Place::shell) add(std::string{name}, command->help);
            }
        } else {
            names(context_.words.front(), Place::anywhere);
        }
    }

    // ---- types and their values ------------------------------------------------------------------------------------

    const v1::NodeType* type_named(std::string_view name) {
        const v1::NodeTypesResult* types = source_.types();
        return types == nullptr ? nullptr : find_type(*types, name);
    }

    void types(char separator = '\0') {
        const v1::NodeTypesResult* all = source_.types();
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

    /// Completes NODE.PARAM=VALUE, or NODE[.PARAM].
    void node_value(Form form) {
        const bool may_end = form == Form::name;
        const GraphMirror* graph = source_.graph();
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
        const GraphMirror::NodeInfo* node = graph->find(word_.substr(0, dot));
        const v1::NodeType* type = node == nullptr ? nullptr : type_named(node->type);
        if (type == nullptr) return;
        if (may_end) {
            value_names(dot + 1, *type, node->settings, "", {});
        } else {
            assignment(dot + 1, *type, node->settings, context_.words);
        }
    }

    /// Completes NAME=VALUE at byte `begin` of the word. Does not offer names that `others` assign.
    void assignment(std::size_t begin, const v1::NodeType& type, const google::protobuf::Struct& settings,
                    std::span<const std::string> others) {
        const std::size_t equals = word_.find('=', begin);
        std::string_view name = word_.substr(begin, equals == std::string_view::npos ? equals : equals - begin);
        const Operator op = relative_allowed() ? take_operator(name) : Operator::set;
        if (equals == std::string_view::npos) {
            if (op == Operator::set) return value_names(begin, type, settings, "=", others);
            if (find_parameter(type, name)) add(std::string{word_} + '=', {}, false);
            return;
        }
        completion_.stem = equals + 1;
        value_of(name, op, type, settings);
    }

    /// Whether += and -=, toggle and patterns are accepted.
    [[nodiscard]] bool relative_allowed() const {
        const Argument* argument = context_.command->argument_at(context_.words.size());
        return argument != nullptr && argument->expects == Expects::node_assignment;
    }

    void value_names(std::size_t begin, const v1::NodeType& type, const google::protobuf::Struct& settings,
                     const std::string& ending, std::span<const std::string> others) {
        completion_.stem = begin;
        // The assignments of a chain link do not repeat its type; other words repeat the node.
        const std::string front{context_.command->argument_at(context_.words.size())->expects == Expects::chain_link
                                    ? std::string_view{}
                                    : word_.substr(0, begin)};
        const auto offer = [&](const std::string& name, const std::string& help) {
            const bool taken = std::ranges::any_of(others, [&](const std::string& other) {
                const std::string_view rest = other.starts_with(front + name)
                                                  ? std::string_view{other}.substr(front.size() + name.size())
                                                  : std::string_view{};
                return rest.starts_with('=') || rest.starts_with("+=") || rest.starts_with("-=");
            });
            if (!taken) add(std::string{word_.substr(0, begin)} + name + ending, help, ending.empty());
        };
        for (const v1::ParameterInfo& parameter : parameters_of(type, settings))
            offer(parameter.name(), parameter.help());
        for (const v1::SettingInfo& setting : settings_of(type, settings)) offer(setting.name(), setting.help());
    }

    /// `name` may be a pattern: the first parameter that matches is described.
    void value_of(std::string_view name, Operator op, const v1::NodeType& type,
                  const google::protobuf::Struct& settings) {
        const std::string front{word_.substr(0, completion_.stem)};
        for (const v1::ParameterInfo& parameter : parameters_of(type, settings)) {
            if (!matches_pattern(name, parameter.name())) continue;
            const bool is_switch = parameter.unit() == "on/off";
            if (op != Operator::set) {
                if (!is_switch) completion_.hint = "the difference; the result must be " + range_text(parameter);
                return;
            }
            if (is_switch) {
                on_off(front);
                if (relative_allowed()) add(front + "toggle");
                return;
            }
            completion_.hint = range_text(parameter) + ", default " + default_text(parameter);
            return;
        }
        const auto setting = find_setting(type, name);
        if (!setting) return;
        if (setting->kind() == "on_off") return on_off(front);
        for (const std::string& choice : setting->choices()) add(front + choice);
        if (setting->choices_size() == 0)
            completion_.hint = range_text(*setting) + ", default " + default_text(*setting);
    }

    void on_off(const std::string& front) {
        add(front + "on");
        add(front + "off");
    }

    /// Completes a word of a condition, by the words before it.
    void condition() {
        if (context_.words.empty()) {
            if (word_.find('.') == std::string_view::npos) {
                for (const std::string_view name : condition_names()) add(std::string{name});
            }
            return node_value(Form::assignment);
        }
        const std::string_view first = context_.words.front();
        if (context_.words.size() > 1) return;
        if (first == "node" || first == "no-node") return expect(Expects::node);
        if (first == "level" || first == "silence") return expect(Expects::meter_node);
        if (first == "pending") return add("none");
    }

    // ---- nodes and their ports -------------------------------------------------------------------------------------

    /// Offers the nodes for which `wanted(node, its type)` is true and which the line does not name yet.
    template <class Wanted>
    void nodes(const Wanted& wanted) {
        const GraphMirror* graph = source_.graph();
        if (graph == nullptr) return;
        for (const auto& [name, node] : graph->nodes()) {
            if (!given(name) && wanted(node, type_named(node.type))) add(name, node.type);
        }
    }
    void nodes_with(std::string_view parameter) {
        nodes([&](const GraphMirror::NodeInfo&, const v1::NodeType* type) {
            return type != nullptr && find_parameter(*type, parameter);
        });
    }

    void ports(Direction direction) {
        const bool output = direction == Direction::output;
        const GraphMirror* graph = source_.graph();
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

    /// Offers connected outputs, or the inputs connected to the output in the previous word.
    void connected(Direction direction) {
        const bool output = direction == Direction::output;
        const GraphMirror* graph = source_.graph();
        if (graph == nullptr) return;
        const std::string from = output ? "" : graph->full_output(context_.words.back());
        for (const GraphMirror::ConnectionInfo& connection : graph->connections()) {
            const bool leaves = output || connection.from == from || node_of(connection.from) == from;
            if (leaves) add_port(*graph, output ? connection.from : connection.to, direction);
        }
    }

    /// Offers the shortest form of a port, without duplicates.
    void add_port(const GraphMirror& graph, const std::string& port, Direction direction) {
        const bool output = direction == Direction::output;
        const std::string node{node_of(port)};
        const std::string full = output ? graph.full_output(node) : graph.full_input(node);
        const std::string& text = full == port && word_.find(':') == std::string_view::npos ? node : port;
        if (std::ranges::find(completion_.candidates, text, &Candidate::text) == completion_.candidates.end())
            add(text, graph.find(node) == nullptr ? "" : graph.find(node)->type);
    }

    void choices() {
        const Argument* argument = context_.command->argument_at(context_.words.size());
        for (const std::string_view choice : argument->choices) {
            if (!given(choice)) add(std::string{choice});
        }
    }

    // ---- dispatch --------------------------------------------------------------------------------------------------

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
                return nodes(
                    [](const auto&, const v1::NodeType* type) { return type != nullptr && !type->reports().empty(); });
            case Expects::node_value:
                return node_value(Form::name);
            case Expects::node_assignment:
                return node_value(Form::assignment);
            case Expects::condition:
                return condition();
            case Expects::output:
                return ports(Direction::output);
            case Expects::topic_or_output:
                choices();
                return ports(Direction::output);
            case Expects::input:
                return ports(Direction::input);
            case Expects::connected_output:
                return connected(Direction::output);
            case Expects::connected_input:
                return connected(Direction::input);
            case Expects::connection_value:
                return add("gain_db=", "Gain of the connection.", false);
            case Expects::volume:
                completion_.hint = "-120 to 12 dB, or +=dB, -=dB";
                return;
            case Expects::on_off:
                return on_off("");
            case Expects::choice:
                return choices();
            case Expects::command:
                return command_words();
            case Expects::file:
                completion_.file = 0;
                return;
            case Expects::scene:
                for (const std::string& name : source_.scenes()) add(name);
                return;
            case Expects::role:
                return roles(0);
            case Expects::host:
                return hosts(0);
        }
    }

    const CommandTable& table_;
    std::string_view word_;
    const CursorContext& context_;
    Place place_;
    CompletionSource& source_;
    Completion completion_;
};

}  // namespace

Completion complete(const CommandTable& table, std::span<const std::string> words, Place place,
                    CompletionSource& source) {
    if (words.empty()) return {};
    const CursorContext context = read_cursor_context(table, words.first(words.size() - 1), place);
    return Offers{table, words.back(), context, place, source}.take();
}

}  // namespace rta::rtactl
