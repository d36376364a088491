// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "api/events/event_hub.h"
#include "api/history/step.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

/// Who has made a change, as its event names it.
struct Author {
    const std::string& client_name;
    const std::string& name;
};

/// Records the edits, publishes GraphChanged, and takes the edits. The event has the inverse if it is known and fits. If the edits
/// do not fit into an event, it has one without content: clients request the graph again. [control]
void publish_edits(EventHub& hub, const Author& author, std::uint64_t revision, v1::EditList& edits,
                   const std::optional<StepContent>& content);

/// Records the changes, publishes ParametersChanged, and takes the changes. `previous`: the values before, in their order. [control]
void publish_parameters(EventHub& hub, const Author& author, std::uint64_t revision, v1::SetParameters& parameters,
                        std::span<const float> previous);

}  // namespace rta::api
