// SPDX-License-Identifier: MIT
#include "engine/port_taps.h"
#include "text/sort_range.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace rta {
namespace {

std::vector<const void*> sorted_taps(const auto& list, auto tap_of) {
    std::vector<const void*> taps;
    taps.reserve(list.size());
    for (const auto& element : list) taps.push_back(std::invoke(tap_of, element).get());
    sort_range(taps, std::less<>{});
    return taps;
}

bool has(const std::vector<const void*>& sorted, const std::shared_ptr<PortTap>& tap) {
    return std::ranges::binary_search(sorted, static_cast<const void*>(tap.get()), std::less<>{});
}

}  // namespace

bool PortTaps::replace(std::vector<TappedPort> ports) {
    if (ports == ports_) return false;
    const std::vector<const void*> before = sorted_taps(ports_, &TappedPort::tap);
    const std::vector<const void*> after = sorted_taps(ports, &TappedPort::tap);
    // One that no plan has borrowed is not kept until a plan returns.
    const std::vector<const void*> not_borrowed = sorted_taps(entered_, std::identity{});
    left_.reserve(left_.size() + ports_.size());
    entered_.reserve(entered_.size() + ports.size());
    // Memory may run out up to here.
    std::erase_if(entered_, [&](const auto& tap) { return !has(after, tap); });
    for (const TappedPort& old : ports_) {
        if (!has(after, old.tap) && !has(not_borrowed, old.tap)) left_.push_back(old.tap.get());
    }
    for (const TappedPort& port : ports) {
        if (!has(before, port.tap)) entered_.push_back(port.tap);
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
    for (const TappedPort& port : ports_) entered.push_back(port.tap);
    sent();
}

}  // namespace rta
