// SPDX-License-Identifier: MIT
#include "rta/change_tracker.h"

#include <algorithm>

namespace rta::client {

namespace {

/// A later version of the protocol may add kinds of edits; a mirror cannot apply them.
bool has_unknown_edit(const v1::Event& event) {
    return std::ranges::any_of(event.graph_changed().edits(),
                               [](const v1::Edit& edit) { return edit.edit_case() == v1::Edit::EDIT_NOT_SET; });
}

}  // namespace

void ChangeTracker::request_resume(v1::Subscribe& subscribe) const {
    if (needs_resync_ || instance_id_.empty()) return;
    subscribe.set_resume_after(last_);
    subscribe.set_resume_instance(instance_id_);
}

/// If the subscription has been resumed, change_number is last_.
void ChangeTracker::subscribed(const v1::SubscribeResult& result) {
    using enum Resync::Reason;
    if (instance_id_ != result.instance_id()) {
        if (needs_resync_ != started) needs_resync_ = instance_id_.empty() ? started : restarted;
        instance_id_ = result.instance_id();
    } else if (!needs_resync_ && result.change_number() != last_) {
        needs_resync_ = missed;
    }
}

void ChangeTracker::resynced(const v1::GraphResult& graph) {
    last_ = graph.change_number();
    needs_resync_.reset();
}

ChangeTracker::Verdict ChangeTracker::take(const v1::Event& event) {
    if (event.number() == 0) return Verdict::deliver;
    if (needs_resync_ || event.number() <= last_) return Verdict::skip;
    if ((event.number() != last_ + 1 && !filtered_) || has_unknown_edit(event)) {
        needs_resync_ = Resync::Reason::missed;
        return Verdict::skip;
    }
    last_ = event.number();
    return Verdict::deliver;
}

}  // namespace rta::client
