// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "document/document.h"
#include "graph/settings.h"

namespace rta {

struct AddNode {
    std::string type;
    std::string name;
    Settings settings;
    std::map<std::string, float, std::less<>> parameters;
};

struct RemoveNode {
    std::string name;
};

/// The node plays on under another name.
struct RenameNode {
    std::string name;
    std::string new_name;
};

/// A repeated Connect with a gain ramps the gain of the connection that is there.
struct Connect {
    std::string from;  ///< `node` or `node:port`
    std::string to;
    std::optional<float> gain_db;
};

struct Disconnect {
    std::string from;
    std::string to;
};

struct SetParameter {
    std::string node;
    std::string parameter;
    float value;
    std::optional<float> ramp_ms;  ///< 20 ms if left out
};

/// Builds the node anew with these settings changed; the new processor is cross-faded with the old one.
struct ChangeSettings {
    std::string node;
    Settings settings;
};

/// Whether what would come early is delayed where paths of different latency meet.
struct SetLatencyCompensation {
    bool enabled;
};

/// The whole graph. Nodes of the same name, type and settings stay and keep their state; parameters left out take their
/// defaults.
struct ReplaceGraph {
    GraphDocument document;
};

using Edit = std::variant<AddNode, RemoveNode, RenameNode, Connect, Disconnect, SetParameter, ChangeSettings,
                          SetLatencyCompensation, ReplaceGraph>;

/// All or nothing: either every edit is made, in order, or none.
struct Transaction {
    std::vector<Edit> edits;
};

inline constexpr float kDefaultParameterRampMs = 20.0F;
inline constexpr float kMaximumRampMs = 600'000.0F;
inline constexpr float kConnectionFadeMs = 10.0F;
inline constexpr float kDeviceFadeMs = 20.0F;

}  // namespace rta
