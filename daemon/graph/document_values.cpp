// SPDX-License-Identifier: MIT
#include "graph/document_values.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "graph/layout.h"
#include "text/format_number.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Returns whether a row has this name for some numbers.
bool names(std::string_view pattern, std::string_view name) {
    for (const char c : pattern) {
        if (name.empty()) return false;
        if (c != '#') {
            if (name.front() != c) return false;
            name.remove_prefix(1);
            continue;
        }
        if (!is_digit(name.front())) return false;
        name.remove_prefix(std::min(name.find_first_not_of("0123456789"), name.size()));
    }
    return name.empty();
}

std::optional<ParameterSpec> find_row(const NodeType& type, std::string_view name) {
    const auto row = std::ranges::find_if(type.parameters, [&](const auto& spec) { return names(spec.name, name); });
    if (row != type.parameters.end()) return *row;
    auto bypass = bypass_of(type);
    return bypass && bypass->name == name ? bypass : std::nullopt;
}

std::string with_unit(float value, Unit unit) { return format_value(value, unit_symbol(unit)); }

std::unexpected<Error> refuse(const DocumentPosition& position, std::string sentence) {
    return std::unexpected(at_position({ErrorCode::invalid_argument, std::move(sentence), {}}, position));
}

/// Converts the values of one document.
class Conversion {
 public:
    Conversion(const NodeRegistry& registry, double sample_rate_hz)
        : registry_{registry}, sample_rate_hz_{sample_rate_hz} {}

    Expected<void> convert(GraphDocument::Node& node) {
        const NodeType* const type = registry_.find(node.type);
        if (type != nullptr) {
            for (const auto& [name, position] : node.text_settings) {
                if (auto good = convert_setting(*type, node, name, position); !good) return good;
            }
        }
        for (const auto& [name, written] : node.written_parameters) {
            // The name of an unknown parameter, or of an unknown type, is refused, whatever the value is.
            const Expected<float> value =
                type == nullptr ? Expected<float>{0.0F} : number_of(*type, node, name, written);
            if (!value) return std::unexpected(value.error());
            node.parameters.emplace(name, *value);
        }
        if (type != nullptr) limit_parameters(*type, node);
        node.text_settings.clear();
        node.written_parameters.clear();
        return {};
    }

    [[nodiscard]] std::vector<std::string> take_warnings() {
        if (left_out_ != 0) warnings_.push_back("and " + std::to_string(left_out_) + " more warnings");
        return std::move(warnings_);
    }

 private:
    static Expected<void> convert_setting(const NodeType& type, GraphDocument::Node& node, const std::string& name,
                                          const DocumentPosition& position) {
        const auto spec = std::ranges::find(type.settings, name, &SettingSpec::name);
        if (spec == type.settings.end()) return {};
        using Kind = SettingSpec::Kind;
        if (spec->kind == Kind::choice || spec->kind == Kind::text) return {};
        SettingValue& setting = node.settings.find(name)->second;
        const std::string text = *std::get_if<std::string>(&setting);
        if (spec->kind == Kind::on_off) {
            if (const auto on = parse_switch(text)) setting = *on;
            return {};
        }
        ValueUnit unit = unit_of_name(name);
        if (unit == ValueUnit::any) unit = ValueUnit::none;
        const auto number = parse_value(text, unit);
        if (!number && unit == ValueUnit::none) return {};  // the NodeBuilder's error has the range
        if (!number)
            return refuse(position,
                          "setting " + quoted(name) + " of node " + quoted(node.name) + ": " + number.error());
        setting = *number;
        return {};
    }

    static Expected<float> number_of(const NodeType& type, const GraphDocument::Node& node, const std::string& name,
                                     const WrittenValue& written) {
        const auto spec = find_row(type, name);
        if (!spec) return 0.0F;
        const std::string subject = "parameter " + quoted(name) + " of node " + quoted(node.name);
        if (const bool* const on = std::get_if<bool>(&written.value)) {
            if (spec->unit == Unit::on_off) return *on ? 1.0F : 0.0F;
            return refuse(written.position, subject + " must be a number or text such as " +
                                                quoted(with_unit(spec->default_value, spec->unit)) + ", not " +
                                                (*on ? "true" : "false"));
        }
        const auto value =
            parse_value(*std::get_if<std::string>(&written.value), unit_of_symbol(unit_symbol(spec->unit)));
        if (!value) return refuse(written.position, subject + ": " + value.error());
        return static_cast<float>(*value);
    }

    void limit_parameters(const NodeType& type, GraphDocument::Node& node) {
        const auto may_be_limited = [](const ParameterSpec& spec) {
            return spec.maximum_rate_fraction != 0.0 || spec.older_maximum.has_value();
        };
        if (std::ranges::none_of(type.parameters, may_be_limited)) return;
        for (auto& [name, value] : node.parameters) {
            const auto row = find_row(type, name);
            if (!row || !may_be_limited(*row)) continue;
            const ParameterSpec spec = at_rate(*row, sample_rate_hz_);
            if (!(value > spec.maximum)) continue;
            const bool follows_rate = spec.maximum_rate_fraction != 0.0;
            if (!follows_rate && value > *spec.older_maximum) continue;
            const auto written = node.written_parameters.find(name);
            warn(written == node.written_parameters.end() ? node.position : written->second.position,
                 "node " + quoted(node.name) + ": " + name + " = " + with_unit(value, spec.unit) +
                     " is above the maximum, " + with_unit(spec.maximum, spec.unit) +
                     (follows_rate
                          ? " at a sample rate of " + format_number(sample_rate_hz_) + " Hz"
                          : ", which was " + with_unit(*spec.older_maximum, spec.unit) + " in earlier versions") +
                     "; loaded as " + with_unit(spec.maximum, spec.unit));
            value = spec.maximum;
        }
    }

    void warn(const DocumentPosition& position, const std::string& sentence) {
        if (warnings_.size() < kMostWarnings) {
            warnings_.push_back(position.prefix() + sentence);
        } else {
            ++left_out_;
        }
    }

    const NodeRegistry& registry_;
    double sample_rate_hz_;
    std::vector<std::string> warnings_;
    std::size_t left_out_ = 0;
};

}  // namespace

Expected<LoadedDocument> load_document(std::string_view text, const NodeRegistry& registry, double sample_rate_hz) {
    auto document = read_document(text);
    if (!document) return std::unexpected(std::move(document.error()));
    Conversion conversion{registry, sample_rate_hz};
    for (GraphDocument::Node& node : document->nodes) {
        if (auto good = conversion.convert(node); !good) return std::unexpected(std::move(good.error()));
    }
    return LoadedDocument{std::move(*document), conversion.take_warnings()};
}

}  // namespace rta
