// SPDX-License-Identifier: MIT
#include "engine/port_taps.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace rta {

bool PortTaps::replace(std::vector<WatchedPort> ports) {
    if (ports == ports_) return false;
    const auto has = [](const std::vector<WatchedPort>& some, const std::shared_ptr<PortTap>& tap) {
        return std::ranges::find(some, tap, &WatchedPort::tap) != some.end();
    };
    for (const WatchedPort& old : ports_) {
        // One that no plan has borrowed is not kept until a plan returns.
        if (!has(ports, old.tap) && std::erase(entered_, old.tap) == 0) left_.push_back(old.tap.get());
    }
    for (const WatchedPort& port : ports) {
        if (!has(ports_, port.tap)) entered_.push_back(port.tap);
    }
    ports_ = std::move(ports);
    return true;
}

std::vector<CompileRequest::Tap> PortTaps::of(std::span<const CompileRequest::Node> nodes) const {
    std::vector<CompileRequest::Tap> taps;
    taps.reserve(ports_.size());
    for (const auto& [port, tap] : ports_) {
        const auto node = std::ranges::lower_bound(nodes, port.node, {}, &CompileRequest::Node::id);
        if (node == nodes.end() || node->id != port.node) continue;  // not in the sound, or not any more
        taps.push_back({static_cast<std::uint32_t>(node - nodes.begin()), port.port, tap.get()});
    }
    return taps;
}

void PortTaps::add_borrowed(Borrowed& changes) const {
    changes.entered.insert(changes.entered.end(), entered_.begin(), entered_.end());
    changes.left.insert(changes.left.end(), left_.begin(), left_.end());
}

void PortTaps::sent() {
    entered_.clear();
    left_.clear();
}

void PortTaps::lend_all(std::vector<std::shared_ptr<const void>>& entered) {
    for (const WatchedPort& port : ports_) entered.push_back(port.tap);
    sent();
}

}  // namespace rta
