// SPDX-License-Identifier: MIT
#include "rtactl/drawing/type_page.h"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <utility>

#include "rta/type_table.h"
#include "rtactl/drawing/node_values.h"
#include "rtactl/drawing/style.h"
#include "rtactl/drawing/wording.h"
#include "text/format_number.h"
#include "text/quantity.h"

namespace rta::rtactl {

namespace {

/// "inputs", "ways - 1".
std::string last_number(const v1::RepeatInfo& repeat) {
    return repeat.less() == 0 ? repeat.setting() : repeat.setting() + " - " + std::to_string(repeat.less());
}

/// Condition of a port or parameter that exists only with some settings.
std::string condition_text(const v1::RepeatInfo& repeat) {
    return repeat.less() == 0
               ? ", only if the setting " + repeat.setting() + " is on"
               : ", only if the setting " + repeat.setting() + " is above " + std::to_string(repeat.less());
}

std::string repeat_text(const v1::ParameterInfo& parameter) {
    if (parameter.repeated_by_size() == 1 && !parameter.name().contains('#')) {
        return condition_text(parameter.repeated_by(0));
    }
    std::string text;
    for (const v1::RepeatInfo& repeat : parameter.repeated_by())
        text.append(text.empty() ? ", # from 1 to " : " and ").append(last_number(repeat));
    return text;
}

std::string port_width(const v1::PortInfo& port) {
    std::string width = port.width() == 0 ? "width from the setting channels" : counted(port.width(), "channel");
    if (!port.has_repeated_by()) return width;
    if (!port.name().contains('#')) return width + condition_text(port.repeated_by());
    return width + ", # from 1 to " + last_number(port.repeated_by());
}

std::string repeat_text(const v1::SettingInfo& setting) {
    return setting.has_repeated_by() ? ", # from 1 to " + last_number(setting.repeated_by()) : "";
}

/// Entry of a section: a name, its properties, and a sentence of help.
struct Entry {
    std::string name;
    std::string facts;
    std::string help;
};

std::vector<Entry> port_entries(const v1::NodeType& type) {
    std::vector<Entry> entries;
    for (const v1::PortInfo& port : type.inputs()) entries.push_back({port.name(), "input, " + port_width(port), ""});
    for (const v1::PortInfo& port : type.outputs()) entries.push_back({port.name(), "output, " + port_width(port), ""});
    return entries;
}

std::vector<Entry> setting_entries(const v1::NodeType& type) {
    std::vector<Entry> entries;
    for (const v1::SettingInfo& setting : type.settings()) {
        entries.push_back({setting.name(),
                           range_text(setting) + repeat_text(setting) + "; default " + default_text(setting),
                           setting.help()});
    }
    return entries;
}

std::vector<Entry> parameter_entries(const v1::NodeType& type) {
    std::vector<Entry> entries;
    for (const v1::ParameterInfo& parameter : type.parameters()) {
        entries.push_back({parameter.name(),
                           range_text(parameter) + repeat_text(parameter) + "; default " + default_text(parameter) +
                               "; " + parameter.ramp_law() + " ramp",
                           parameter.help()});
    }
    return entries;
}

/// Wraps text to lines of at most `columns` characters, indented by `indent` blanks.
void print_wrapped(std::ostream& out, const std::string& text, std::size_t indent, std::size_t columns) {
    std::istringstream words{text};
    std::string line;
    for (std::string word; words >> word;) {
        if (!line.empty() && indent + line.size() + 1 + word.size() > columns) {
            out << std::string(indent, ' ') << std::exchange(line, "") << '\n';
        }
        line.append(line.empty() ? "" : " ").append(word);
    }
    if (!line.empty()) out << std::string(indent, ' ') << line << '\n';
}

void print_section(std::ostream& out, std::string_view title, const std::vector<Entry>& entries) {
    constexpr std::size_t kColumns = 100;
    if (entries.empty()) return;
    out << '\n' << Styled{title, Style::heading} << '\n';
    std::size_t widest = 0;
    for (const Entry& entry : entries) widest = std::max(widest, entry.name.size());
    for (const Entry& entry : entries) {
        out << "  " << entry.name << std::string(widest - entry.name.size() + 2, ' ') << entry.facts << '\n';
        print_wrapped(out, entry.help, widest + 4, kColumns);
    }
}

// ---- examples ------------------------------------------------------------------------------------------------------

/// Returns a value that differs audibly from the default.
std::string example_value(const v1::ParameterInfo& parameter) {
    constexpr float kStepDb = 6.0F;
    const float standard = parameter.default_();
    if (parameter.unit() == "on/off") return standard == 0.0F ? "on" : "off";
    float value = parameter.maximum();
    if (parameter.unit() == "dB") {
        if (standard - kStepDb >= parameter.minimum()) value = standard - kStepDb;
    } else if (standard == 0.0F) {
        value = parameter.maximum() / 2.0F;
    } else if (2.0F * standard >= parameter.minimum() && 2.0F * standard <= parameter.maximum()) {
        value = 2.0F * standard;
    }
    return format_number(value) + parameter.unit();
}

/// Returns "kind=highpass" or "frequency_hz=880Hz"; empty if the type has neither choices nor parameters.
std::string example_assignment(const v1::NodeType& type) {
    for (const v1::SettingInfo& setting : settings_of(type, {})) {
        for (const std::string& choice : setting.choices()) {
            if (choice != default_text(setting)) return setting.name() + "=" + choice;
        }
    }
    const auto parameters = parameters_of(type, {});
    return parameters.empty() ? "" : parameters.front().name() + "=" + example_value(parameters.front());
}

std::string with_port(const std::string& node, const std::vector<std::string>& ports) {
    return ports.size() == 1 ? node : node + ":" + ports.front();
}

// ---- Markdown ------------------------------------------------------------------------------------------------------

std::string in_cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? std::string{"\\|"} : std::string{c};
    return escaped;
}

void add_row(std::string& text, std::initializer_list<std::string> cells) {
    for (const std::string& cell : cells) text.append("| ").append(in_cell(cell)).append(" ");
    text += "|\n";
}

std::string code(const std::string& text) { return "`" + text + "`"; }

std::string port_table(const v1::NodeType& type) {
    std::string text = "| port | | channels |\n|---|---|---|\n";
    for (const v1::PortInfo& port : type.inputs()) add_row(text, {code(port.name()), "input", port_width(port)});
    for (const v1::PortInfo& port : type.outputs()) add_row(text, {code(port.name()), "output", port_width(port)});
    return text;
}

std::string setting_table(const v1::NodeType& type) {
    std::string text = "| setting | may be | default | |\n|---|---|---|---|\n";
    for (const v1::SettingInfo& setting : type.settings())
        add_row(text, {code(setting.name()), range_text(setting) + repeat_text(setting), default_text(setting),
                       setting.help()});
    return text;
}

/// Returns the range without the maximum at the current sample rate.
std::string range_at_any_rate(const v1::ParameterInfo& parameter) {
    if (parameter.maximum_rate_fraction() == 0.0) return range_text(parameter);
    return format_value(parameter.minimum(), parameter.unit()) + " to " +
           format_number(parameter.maximum_rate_fraction()) + " of the sample rate";
}

std::string parameter_table(const v1::NodeType& type) {
    std::string text = "| parameter | range | default | ramp | |\n|---|---|---|---|---|\n";
    for (const v1::ParameterInfo& parameter : type.parameters()) {
        add_row(text, {code(parameter.name()), range_at_any_rate(parameter) + repeat_text(parameter),
                       default_text(parameter), parameter.ramp_law(), parameter.help()});
    }
    return text;
}

std::string chapter(const v1::NodeType& type) {
    std::string text = "\n## " + type.name() + "\n\n" + type.help() + "\n\n" + port_table(type);
    if (type.settings_size() > 0) text += "\n" + setting_table(type);
    if (type.parameters_size() > 0) text += "\n" + parameter_table(type);
    text += "\n";
    for (const std::string& command : example_commands(type)) text += "    $ " + command + "\n";
    return text;
}

}  // namespace

std::string range_text(const v1::SettingInfo& setting) {
    if (setting.choices_size() > 0) {
        std::string text;
        for (const std::string& choice : setting.choices()) text.append(text.empty() ? "" : ", ").append(choice);
        return text;
    }
    if (setting.has_minimum() && setting.has_maximum()) {
        return setting.kind() + ", " + format_number(setting.minimum()) + " to " + format_number(setting.maximum());
    }
    return setting.kind() == "on_off" ? "on or off" : setting.kind();
}

std::string range_text(const v1::ParameterInfo& parameter) {
    if (parameter.unit() == "on/off") return "on or off";
    const std::string range =
        format_number(parameter.minimum()) + " to " + format_value(parameter.maximum(), parameter.unit());
    if (parameter.maximum_rate_fraction() != 0.0)
        return range + ", " + format_number(parameter.maximum_rate_fraction()) + " of the sample rate";
    return parameter.maximum_setting().empty() ? range : range + ", at most " + parameter.maximum_setting();
}

std::string default_text(const v1::SettingInfo& setting) {
    if (setting.drawn()) return "drawn";
    const std::string text = describe(setting.default_());
    return text.empty() ? "none" : text;
}

std::string default_text(const v1::ParameterInfo& parameter) {
    std::string text = format_value(parameter.default_(), parameter.unit());
    if (!parameter.has_default_factor() || parameter.default_factor() == 1.0F) return text;
    return text + ", then " + format_number(parameter.default_factor()) + " times the previous";
}

std::vector<std::string> example_commands(const v1::NodeType& type) {
    const std::vector<std::string> inputs = port_names(type.inputs(), type, {});
    const std::vector<std::string> outputs = port_names(type.outputs(), type, {});
    const std::string assignment = example_assignment(type);
    if (inputs.size() <= 1 && outputs.size() <= 1) {
        const std::string link = type.name() + (assignment.empty() ? "" : ":" + assignment);
        return {"rtactl play " + (inputs.empty() ? link : "sine " + link)};
    }
    // `play` cannot be used: a chain does not name ports.
    std::vector<std::string> commands{"rtactl play sine", "rtactl add " + type.name() + " " + type.name()};
    if (!assignment.empty()) commands.back() += " " + assignment;
    if (!inputs.empty()) commands.push_back("rtactl connect sine " + with_port(type.name(), inputs));
    if (!outputs.empty()) commands.push_back("rtactl connect " + with_port(type.name(), outputs) + " output");
    return commands;
}

void print_type(std::ostream& out, const v1::NodeType& type) {
    out << Styled{type.name(), Style::heading} << ": " << type.help() << '\n';
    print_section(out, "Ports", port_entries(type));
    print_section(out, "Settings (fixed when the node is built)", setting_entries(type));
    print_section(out, "Parameters", parameter_entries(type));
    out << '\n' << Styled{"Example", Style::heading} << '\n';
    for (const std::string& command : example_commands(type)) out << "  " << command << '\n';
}

std::string types_document(const v1::NodeTypesResult& types) {
    std::string text =
        "# Nodes\n"
        "\n"
        "Every node type with its ports, settings and parameters, as `rtactl types TYPE` prints them. The target\n"
        "`node_docs` generates this page from the tables in `daemon/nodes`; a test compares it.\n"
        "\n"
        "Settings are fixed when a node is built; `rtactl set` rebuilds the node, with a crossfade. Parameters can change\n"
        "at any time. Each change follows the ramp law of the parameter:\n"
        "\n"
        "- `linear`: equal steps;\n"
        "- `logarithmic`: equal ratios;\n"
        "- `amplitude`: linear in the gain that the dB value stands for;\n"
        "- `on_off`: a crossfade;\n"
        "- `own`: the node smooths the change itself.\n"
        "\n"
        "A # stands for a number, starting at 1. The examples replace the graph. A test runs them with a daemon that\n"
        "was started as follows:\n"
        "\n"
        "    $ export PATH=$PWD/build/release/bin:$PATH\n"
        "    $ export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$(mktemp -d)}\n"
        "    $ rtad --device null &\n"
        "\n"
        "| type | |\n"
        "|---|---|\n";
    for (const v1::NodeType& type : types.types())
        add_row(text, {"[" + type.name() + "](#" + type.name() + ")", std::string{first_sentence(type.help())}});
    for (const v1::NodeType& type : types.types()) text += chapter(type);
    return text;
}

}  // namespace rta::rtactl
