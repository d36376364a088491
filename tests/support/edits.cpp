// SPDX-License-Identifier: MIT
#include "support/edits.h"

namespace rta::test {

void set_number(google::protobuf::Struct& settings, const std::string& name, double value) {
    (*settings.mutable_fields())[name].set_number_value(value);
}

v1::Edit add_node(const std::string& type, const std::string& name, Values parameters, Values settings) {
    v1::Edit edit;
    edit.mutable_add_node()->set_type(type);
    edit.mutable_add_node()->set_name(name);
    for (const auto& [setting, value] : settings)
        set_number(*edit.mutable_add_node()->mutable_settings(), setting, static_cast<double>(value));
    for (const auto& [parameter, value] : parameters)
        (*edit.mutable_add_node()->mutable_parameters())[parameter] = value;
    return edit;
}

v1::Edit remove_node(const std::string& name) {
    v1::Edit edit;
    edit.mutable_remove_node()->set_name(name);
    return edit;
}

v1::Edit connect(const std::string& from, const std::string& to, std::optional<float> gain_db) {
    v1::Edit edit;
    edit.mutable_connect()->set_from(from);
    edit.mutable_connect()->set_to(to);
    if (gain_db) edit.mutable_connect()->set_gain_db(*gain_db);
    return edit;
}

v1::Edit disconnect(const std::string& from, const std::string& to) {
    v1::Edit edit;
    edit.mutable_disconnect()->set_from(from);
    edit.mutable_disconnect()->set_to(to);
    return edit;
}

v1::Edit set_parameter(const std::string& node, const std::string& parameter, float value) {
    v1::Edit edit;
    edit.mutable_set_parameter()->set_node(node);
    edit.mutable_set_parameter()->set_parameter(parameter);
    edit.mutable_set_parameter()->set_value(value);
    return edit;
}

v1::EditList transaction(std::vector<v1::Edit> edits) {
    v1::EditList list;
    for (v1::Edit& edit : edits) *list.add_edits() = std::move(edit);
    return list;
}

v1::Request apply_request(const v1::EditList& edits) {
    v1::Request request;
    *request.mutable_apply_transaction()->mutable_edits() = edits;
    request.mutable_apply_transaction()->set_wait_for_start(true);
    return request;
}

}  // namespace rta::test
