// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "document/document.h"
#include "graph/settings.h"

namespace rta {

/// AddNode::identity of a node that is another one than a node of the same name and type that the transaction removes.
inline constexpr std::uint64_t kNewIdentity = static_cast<std::uint64_t>(-1);

struct AddNode {
    std::string type;
    std::string name;
    Settings settings;
    std::map<std::string, float, std::less<>> parameters;
    Annotation annotation{};
    std::uint64_t identity =
        0;  ///< GraphNode::identity of a node that comes back; 0: a new node, or the one that it replaces
};

struct RemoveNode {
    std::string name;
};

/// Renames a node, which keeps playing.
struct RenameNode {
    std::string name;
    std::string new_name;
};

/// Adds a connection, or ramps the gain of an existing one.
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
    enum class Kind : std::uint8_t {
        set,     ///< to `value`
        add,     ///< `value` to the current value
        toggle,  ///< an on/off parameter
    };

    std::string node;
    std::string parameter;
    float value;
    std::optional<float> ramp_ms;  ///< kDefaultParameterRampMs if not given
    Kind kind = Kind::set;

    [[nodiscard]] bool is_relative() const { return kind != Kind::set; }
};

/// Rebuilds the node with these settings changed; the old and the new processor crossfade.
struct ChangeSettings {
    std::string node;
    Settings settings;
    std::vector<std::string> defaults{};  ///< settings that are no longer given, so that they have their defaults
};

/// Switches latency compensation on or off: delays that align paths of different latency.
struct SetLatencyCompensation {
    bool enabled;
};

/// Sets the title, the description or both, of a node or of the graph. The sound does not change.
struct Describe {
    std::string node;  ///< empty: the graph
    std::optional<std::string> title;
    std::optional<std::string> description;
};

/// Returns the title and the description after the edit. [any]
[[nodiscard]] Annotation described(Annotation annotation, const Describe& edit);

/// Replaces the whole graph. Nodes of the same name, type and settings keep their state; parameters not given take
/// their defaults.
struct ReplaceGraph {
    GraphDocument document;
};

using Edit = std::variant<AddNode, RemoveNode, RenameNode, Connect, Disconnect, SetParameter, ChangeSettings,
                          SetLatencyCompensation, Describe, ReplaceGraph>;

/// Edits that are applied in order, all or none.
struct Transaction {
    std::vector<Edit> edits;
    /// Only GraphLimits::widest() apply: the operator has given the graph, or it was saved under higher limits.
    bool exempt = false;
    /// Restores an earlier graph: any number of parameters may change, and nodes get their kept processors back.
    bool restores = false;
    /// Time in which gains of connections that stay reach their new values; at least kConnectionFadeMs.
    float gain_ramp_ms = 0.0F;

    [[nodiscard]] bool replaces_graph() const {
        return std::ranges::any_of(edits, [](const Edit& edit) { return std::holds_alternative<ReplaceGraph>(edit); });
    }
};

inline constexpr float kDefaultParameterRampMs = 20.0F;
inline constexpr float kMaximumRampMs = 600'000.0F;
inline constexpr float kMinimumConnectionGainDb = -120.0F;
inline constexpr float kMaximumConnectionGainDb = 24.0F;
inline constexpr float kMinimumVolumeDb = -120.0F;  ///< of the device output; silence
inline constexpr float kMaximumVolumeDb = 12.0F;
inline constexpr float kConnectionFadeMs = 10.0F;
inline constexpr float kDeviceFadeMs = 20.0F;

}  // namespace rta
