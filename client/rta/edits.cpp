// SPDX-License-Identifier: MIT
#include "rta/edits.h"

#include <string>

namespace rta {

v1::Edit add_node_edit(std::string_view name, std::string_view type, NodeValues parameters, NodeValues settings) {
    v1::Edit edit;
    v1::Node& node = *edit.mutable_add_node();
    node.set_name(std::string{name});
    node.set_type(std::string{type});
    for (const auto& [parameter, value] : parameters) (*node.mutable_parameters())[std::string{parameter}] = value;
    for (const auto& [setting, value] : settings) {
        (*node.mutable_settings()->mutable_fields())[std::string{setting}].set_number_value(static_cast<double>(value));
    }
    return edit;
}

v1::Edit remove_node_edit(std::string_view name) {
    v1::Edit edit;
    edit.mutable_remove_node()->set_name(std::string{name});
    return edit;
}

v1::Edit rename_node_edit(std::string_view name, std::string_view new_name) {
    v1::Edit edit;
    edit.mutable_rename_node()->set_name(std::string{name});
    edit.mutable_rename_node()->set_new_name(std::string{new_name});
    return edit;
}

v1::Edit connect_edit(std::string_view from, std::string_view to, std::optional<float> gain_db) {
    v1::Edit edit;
    edit.mutable_connect()->set_from(std::string{from});
    edit.mutable_connect()->set_to(std::string{to});
    if (gain_db) edit.mutable_connect()->set_gain_db(*gain_db);
    return edit;
}

v1::Edit disconnect_edit(std::string_view from, std::string_view to) {
    v1::Edit edit;
    edit.mutable_disconnect()->set_from(std::string{from});
    edit.mutable_disconnect()->set_to(std::string{to});
    return edit;
}

v1::Edit replace_graph_edit(v1::Graph graph) {
    v1::Edit edit;
    *edit.mutable_replace_graph() = std::move(graph);
    return edit;
}

v1::Edit set_parameter_edit(v1::SetParameter change) {
    v1::Edit edit;
    *edit.mutable_set_parameter() = std::move(change);
    return edit;
}

v1::Guard expect_revision(std::uint64_t revision) {
    v1::Guard guard;
    guard.set_expected_revision(revision);
    return guard;
}

v1::Guard expect_change(std::uint64_t change_number) {
    v1::Guard guard;
    guard.set_expected_change(change_number);
    return guard;
}

v1::SetParameter parameter_change(std::string_view node, std::string_view parameter, float value,
                                  std::optional<std::chrono::milliseconds> ramp) {
    v1::SetParameter change;
    change.set_node(std::string{node});
    change.set_parameter(std::string{parameter});
    change.set_value(value);
    if (ramp) change.set_ramp_ms(static_cast<float>(ramp->count()));
    return change;
}

v1::When in_seconds(double seconds) {
    v1::When when;
    when.set_in_s(seconds);
    return when;
}

v1::When at_frame(std::uint64_t frame) {
    v1::When when;
    when.set_frame(frame);
    return when;
}

v1::When at_time(std::chrono::system_clock::time_point time) {
    v1::When when;
    when.set_utc_us(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
    return when;
}

}  // namespace rta
