// SPDX-License-Identifier: MIT
#include "rtactl/language/bridge.h"

#include <algorithm>
#include <set>
#include <utility>

#include "rta/edits.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

using Connection = GraphMirror::ConnectionInfo;

constexpr float kSilentGainDb = -120.0F;

/// The gain of two connections in series; silence if one of them is silent.
std::optional<float> series_gain(const Connection& first, const Connection& second) {
    if (!first.gain_db && !second.gain_db) return std::nullopt;
    const float a = first.gain_db.value_or(0.0F);
    const float b = second.gain_db.value_or(0.0F);
    return a <= kSilentGainDb || b <= kSilentGainDb ? kSilentGainDb : std::max(decimal_sum(a, b), kSilentGainDb);
}

std::string channels(unsigned width) { return std::to_string(width) + (width == 1 ? " channel" : " channels"); }

std::string port_list(const std::set<std::string>& ports) {
    std::string text;
    for (const std::string& port : ports) text.append(text.empty() ? "" : ", ").append(port);
    return text;
}

class Bridge {
 public:
    Bridge(const GraphMirror& graph, const std::string& node) : graph_{graph}, node_{node} {
        for (const Connection& connection : graph.connections_of(node)) {
            if (node_of(connection.to) == node) {
                into_.push_back(connection);
                inputs_.insert(connection.to);
            }
            if (node_of(connection.from) == node) {
                out_of_.push_back(connection);
                outputs_.insert(connection.from);
            }
        }
    }

    std::expected<std::vector<v1::Edit>, std::string> edits() const {
        if (auto good = check_ports(inputs_, "input"); !good) return std::unexpected(std::move(good.error()));
        if (auto good = check_ports(outputs_, "output"); !good) return std::unexpected(std::move(good.error()));
        std::vector<v1::Edit> edits;
        edits.emplace_back().mutable_remove_node()->set_name(node_);
        for (const Connection& source : into_) {
            for (const Connection& destination : out_of_) {
                if (auto good = check_pair(source.from, destination.to); !good)
                    return std::unexpected(std::move(good.error()));
                edits.push_back(connect_edit(source.from, destination.to, series_gain(source, destination)));
            }
        }
        return edits;
    }

 private:
    using Checked = std::expected<void, std::string>;

    std::unexpected<std::string> refuse(const std::string& why) const {
        return std::unexpected(quoted(node_) + " cannot be bridged: " + why);
    }

    Checked check_ports(const std::set<std::string>& ports, std::string_view direction) const {
        const std::string what{direction};
        if (ports.empty())
            return refuse("no " + what + " of it is connected; `remove " + node_ + "` removes it without a bridge");
        if (ports.size() > 1) {
            return refuse("several of its " + what + "s are connected: " + port_list(ports) +
                          "; expected one connected " + what);
        }
        return {};
    }

    Checked check_pair(const std::string& from, const std::string& to) const {
        if (node_of(from) == node_ || node_of(to) == node_) return refuse("it is connected to itself");
        if (!graph_.connections(from, to).empty()) {
            return refuse(from + " -> " + to + " are connected already, so the bridge would change the gain of that " +
                          "connection; disconnect them first");
        }
        const unsigned source = graph_.output_width(from);
        const unsigned destination = graph_.input_width(to);
        if (source == destination || source == 1 || source == 0 || destination == 0) return {};
        return refuse(from + " has " + channels(source) + " and " + to + " has " + channels(destination) +
                      "; expected equal channel counts or a mono source");
    }

    const GraphMirror& graph_;
    const std::string& node_;
    std::vector<Connection> into_;
    std::vector<Connection> out_of_;
    std::set<std::string> inputs_;
    std::set<std::string> outputs_;
};

}  // namespace

std::expected<std::vector<v1::Edit>, std::string> bridge_edits(const GraphMirror& graph, const std::string& node) {
    return Bridge{graph, node}.edits();
}

}  // namespace rta::rtactl
