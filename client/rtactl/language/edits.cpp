// SPDX-License-Identifier: MIT
#include "rtactl/language/edits.h"

#include <string>

namespace rta::rtactl {

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

}  // namespace rta::rtactl
