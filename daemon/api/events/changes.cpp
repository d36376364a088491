// SPDX-License-Identifier: MIT
#include "api/events/changes.h"

#include <functional>

#include "api/convert.h"
#include "api/requests/transaction.h"

namespace rta::api {

void publish_edits(EventHub& hub, const Author& author, std::uint64_t revision, v1::EditList& edits,
                   const std::optional<StepContent>& content) {
    if (hub.recorder() != nullptr) hub.recorder()->edited(revision, edits);
    if (!check_event_size(edits.ByteSizeLong())) {
        edits.Clear();
        edits.add_edits();
    }
    const auto fill = [&](v1::Event& event) {
        v1::GraphChanged& changed = *event.mutable_graph_changed();
        changed.set_revision(revision);
        changed.mutable_edits()->Swap(edits.mutable_edits());
        changed.set_client_name(author.client_name);
        changed.set_author(author.name);
        if (!content) return;
        for (const Edit& edit : content->inverse) to_wire(edit, *changed.add_inverse());
        if (!check_event_size(changed.ByteSizeLong())) changed.clear_inverse();
    };
    // A std::function of so many references would allocate: without memory, the subscribers would not learn that they miss it.
    hub.publish_edit(author.name, author.client_name, std::cref(fill));
}

void publish_parameters(EventHub& hub, const Author& author, std::uint64_t revision, v1::SetParameters& parameters,
                        std::span<const float> previous) {
    if (hub.recorder() != nullptr) hub.recorder()->parameters_changed(revision, parameters);
    const auto fill = [&](v1::Event& event) {
        v1::ParametersChanged& changed = *event.mutable_parameters_changed();
        changed.set_revision(revision);
        changed.mutable_changes()->Swap(parameters.mutable_changes());
        changed.set_client_name(author.client_name);
        changed.set_author(author.name);
        changed.mutable_previous()->Add(previous.begin(), previous.end());
        if (!check_event_size(changed.ByteSizeLong())) changed.clear_previous();
    };
    hub.publish_edit(author.name, author.client_name, std::cref(fill));  // as above
}

}  // namespace rta::api
