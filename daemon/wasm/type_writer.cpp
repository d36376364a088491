// SPDX-License-Identifier: MIT
#include "wasm/type_writer.h"

#include "graph/layout.h"
#include "graph/parameter_spec.h"
#include "graph/type_names.h"
#include "wasm/edit_writer.h"

namespace rta::wasm {
namespace {

void write_repeat(JsonWriter& out, const Repeat& repeat) {
    out.object([&] {
        out.member("setting", repeat.setting);
        out.member("less", repeat.less);
    });
}

void write_setting(JsonWriter& out, const SettingSpec& spec) {
    out.object([&] {
        out.member("name", spec.name);
        out.member("kind", kind_name(spec.kind));
        out.member("help", spec.help);
        switch (spec.kind) {
            case SettingSpec::Kind::integer:
            case SettingSpec::Kind::number:
                out.member("minimum", spec.minimum);
                out.member("maximum", spec.maximum);
                out.member("default", spec.default_number);
                break;
            case SettingSpec::Kind::on_off:
                out.member("default", spec.default_number != 0.0);
                break;
            case SettingSpec::Kind::choice:
            case SettingSpec::Kind::text:
                out.member("default", spec.default_text);
                break;
        }
        write_texts(out, "choices", spec.choices);
        if (spec.drawn) out.member("drawn", true);
        if (spec.repeat.given()) write_repeat(out.key("repeated_by"), spec.repeat);
    });
}

void write_parameter(JsonWriter& out, const ParameterSpec& row, double sample_rate_hz) {
    const ParameterSpec spec = at_rate(row, sample_rate_hz);
    out.object([&] {
        out.member("name", spec.name);
        out.member("unit", unit_symbol(spec.unit));
        out.member("minimum", spec.minimum);
        out.member("maximum", spec.maximum);
        out.member("default", spec.default_value);
        out.member("ramp_law", ramp_law_name(spec.law));
        out.member("help", spec.help);
        out.key("repeated_by").array([&] {
            if (spec.repeat.given()) write_repeat(out, spec.repeat);
            if (spec.repeat_inner.given()) write_repeat(out, spec.repeat_inner);
        });
        if (spec.default_factor != 1.0F) out.member("default_factor", spec.default_factor);
        out.member("maximum_setting", spec.maximum_setting);
        out.member("maximum_rate_fraction", spec.maximum_rate_fraction);
        if (spec.older_maximum) out.member("older_maximum", *spec.older_maximum);
    });
}

void write_ports(JsonWriter& out, std::string_view name, std::span<const PortSpec> ports) {
    out.key(name).array([&] {
        for (const PortSpec& spec : ports) {
            out.object([&] {
                out.member("name", spec.name);
                out.member("width", spec.width);
                if (spec.repeat.given()) write_repeat(out.key("repeated_by"), spec.repeat);
            });
        }
    });
}

}  // namespace

void write_type(JsonWriter& out, const NodeType& type, double sample_rate_hz) {
    out.object([&] {
        out.member("name", type.name);
        out.member("help", type.help);
        out.key("settings").array([&] {
            for (const SettingSpec& setting : type.settings) write_setting(out, setting);
        });
        out.key("parameters").array([&] {
            for (const ParameterSpec& parameter : type.parameters) write_parameter(out, parameter, sample_rate_hz);
            if (const auto bypass = bypass_of(type)) write_parameter(out, *bypass, sample_rate_hz);
        });
        write_ports(out, "inputs", type.inputs);
        write_ports(out, "outputs", type.outputs);
        out.member("reports", reports_name(type.reports));
    });
}

}  // namespace rta::wasm
