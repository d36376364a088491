// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rta/subscription.h"
#include "rta/v1/control.pb.h"

namespace rta::client {

/// Follows the change numbers of a subscription across connections, and decides when its user must get a Resync. No I/O.
class ChangeTracker {
 public:
    /// `filtered`: changes of other nodes are not sent, so the numbers have gaps.
    explicit ChangeTracker(bool filtered = false) : filtered_{filtered} {}

    /// Sets what a Subscribe needs to continue after the latest change; nothing if a Resync is needed anyway.
    void request_resume(v1::Subscribe& subscribe) const;
    /// Takes the response to the Subscribe of a new connection.
    void subscribed(const v1::SubscribeResult& result);
    /// Takes the graph of a Resync.
    void resynced(const v1::GraphResult& graph);

    enum class Verdict : std::uint8_t {
        skip,    ///< the graph of the last Resync contains it, or a Resync must come first
        deliver  ///< telemetry, or the next change
    };
    /// Takes an event of the current connection.
    [[nodiscard]] Verdict take(const v1::Event& event);

    /// Returns why a Resync is needed before any further event.
    [[nodiscard]] std::optional<Resync::Reason> needs_resync() const { return needs_resync_; }
    [[nodiscard]] const std::string& instance_id() const { return instance_id_; }

 private:
    bool filtered_;
    std::string instance_id_;
    std::uint64_t last_ = 0;  ///< number of the last change that the user has
    std::optional<Resync::Reason> needs_resync_;
};

}  // namespace rta::client
