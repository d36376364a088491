// SPDX-License-Identifier: MIT
#include "api/requests/list_node_types.h"

#include <string>

#include "api/call.h"
#include "api/services.h"
#include "graph/layout.h"
#include "graph/parameter_spec.h"
#include "graph/type_names.h"

namespace rta::api {
namespace {

void set_string(std::string& field, std::string_view text) { field.assign(text); }

void repeat_to_wire(const Repeat& repeat, v1::RepeatInfo& message) {
    set_string(*message.mutable_setting(), repeat.setting);
    message.set_less(repeat.less);
}

void setting_to_wire(const SettingSpec& spec, v1::SettingInfo& message) {
    set_string(*message.mutable_name(), spec.name);
    set_string(*message.mutable_kind(), kind_name(spec.kind));
    set_string(*message.mutable_help(), spec.help);
    switch (spec.kind) {
        case SettingSpec::Kind::integer:
        case SettingSpec::Kind::number:
            message.set_minimum(spec.minimum);
            message.set_maximum(spec.maximum);
            message.mutable_default_()->set_number_value(spec.default_number);
            break;
        case SettingSpec::Kind::on_off:
            message.mutable_default_()->set_bool_value(spec.default_number != 0.0);
            break;
        case SettingSpec::Kind::choice:
        case SettingSpec::Kind::text:
            set_string(*message.mutable_default_()->mutable_string_value(), spec.default_text);
            break;
    }
    message.set_drawn(spec.drawn);
    for (const std::string_view choice : spec.choices) set_string(*message.add_choices(), choice);
    if (spec.repeat.given()) repeat_to_wire(spec.repeat, *message.mutable_repeated_by());
}

void parameter_to_wire(const ParameterSpec& row, double sample_rate_hz, v1::ParameterInfo& message) {
    const ParameterSpec spec = at_rate(row, sample_rate_hz);
    set_string(*message.mutable_name(), spec.name);
    set_string(*message.mutable_unit(), unit_symbol(spec.unit));
    message.set_minimum(spec.minimum);
    message.set_maximum(spec.maximum);
    message.set_default_(spec.default_value);
    set_string(*message.mutable_ramp_law(), ramp_law_name(spec.law));
    set_string(*message.mutable_help(), spec.help);
    if (spec.repeat.given()) repeat_to_wire(spec.repeat, *message.add_repeated_by());
    if (spec.repeat_inner.given()) repeat_to_wire(spec.repeat_inner, *message.add_repeated_by());
    if (spec.default_factor != 1.0F) message.set_default_factor(spec.default_factor);
    set_string(*message.mutable_maximum_setting(), spec.maximum_setting);
    message.set_maximum_rate_fraction(spec.maximum_rate_fraction);
    if (spec.older_maximum) message.set_older_maximum(*spec.older_maximum);
}

void port_to_wire(const PortSpec& spec, v1::PortInfo& message) {
    set_string(*message.mutable_name(), spec.name);
    message.set_width(spec.width);
    if (spec.repeat.given()) repeat_to_wire(spec.repeat, *message.mutable_repeated_by());
}

}  // namespace

void to_wire(const NodeType& type, double sample_rate_hz, v1::NodeType& message) {
    set_string(*message.mutable_name(), type.name);
    set_string(*message.mutable_help(), type.help);
    for (const SettingSpec& setting : type.settings) setting_to_wire(setting, *message.add_settings());
    for (const ParameterSpec& parameter : type.parameters)
        parameter_to_wire(parameter, sample_rate_hz, *message.add_parameters());
    if (const auto bypass = bypass_of(type)) parameter_to_wire(*bypass, sample_rate_hz, *message.add_parameters());
    for (const PortSpec& port : type.inputs) port_to_wire(port, *message.add_inputs());
    for (const PortSpec& port : type.outputs) port_to_wire(port, *message.add_outputs());
    set_string(*message.mutable_reports(), reports_name(type.reports));
}

namespace requests {

void list_node_types(Call& call) {
    const std::string& name = call.request.message.list_node_types().type();
    const NodeRegistry& registry = call.services.engine.registry();
    const double sample_rate_hz = call.services.engine.config().sample_rate_hz;
    if (name.empty()) {
        v1::NodeTypesResult& result = *call.request.answer().mutable_list_node_types();
        for (const NodeType* type : registry.types()) to_wire(*type, sample_rate_hz, *result.add_types());
        return;
    }
    const auto type = registry.require(name);
    if (!type) return call.request.refuse(type.error());
    to_wire(**type, sample_rate_hz, *call.request.answer().mutable_list_node_types()->add_types());
}

}  // namespace requests
}  // namespace rta::api
