// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "rta/v1/control.pb.h"

// The common edits of a transaction, and changes of parameters. Names, units and ranges: see the .proto files.
namespace rta {

using NodeValues = std::initializer_list<std::pair<std::string_view, float>>;

/// Adds a node of a type, with these parameters and numeric settings. Other settings: `edit.mutable_add_node()`.
[[nodiscard]] v1::Edit add_node_edit(std::string_view name, std::string_view type, NodeValues parameters = {},
                                     NodeValues settings = {});
/// Removes a node and its connections.
[[nodiscard]] v1::Edit remove_node_edit(std::string_view name);
[[nodiscard]] v1::Edit rename_node_edit(std::string_view name, std::string_view new_name);
/// Connects an output to an input, each `node:port`, or `node` if it has only one. A gain in dB, -120 to 24; 0 if
/// omitted.
[[nodiscard]] v1::Edit connect_edit(std::string_view from, std::string_view to, std::optional<float> gain_db = {});
[[nodiscard]] v1::Edit disconnect_edit(std::string_view from, std::string_view to);
/// Replaces the whole graph; must be the only edit of a transaction.
[[nodiscard]] v1::Edit replace_graph_edit(v1::Graph graph);
[[nodiscard]] v1::Edit set_parameter_edit(v1::SetParameter change);

/// Guards of a change, for Client::apply(), load() and set_parameters(): it is rejected with ABORTED and Error::conflict
/// unless the graph is at this revision, or unless no change of the graph or of parameters has a greater number.
[[nodiscard]] v1::Guard expect_revision(std::uint64_t revision);
[[nodiscard]] v1::Guard expect_change(std::uint64_t change_number);

/// A change of a parameter to `value`, in its unit. The ramp takes 0 to 600 s; 20 ms if omitted.
[[nodiscard]] v1::SetParameter parameter_change(std::string_view node, std::string_view parameter, float value,
                                                std::optional<std::chrono::milliseconds> ramp = {});

// Times of scheduled edits, for Client::apply_at() and set_parameters_at(): at most 24 h ahead.
[[nodiscard]] v1::When in_seconds(double seconds);
/// A frame of the engine's sample clock; see Client::time().
[[nodiscard]] v1::When at_frame(std::uint64_t frame);
/// A time of day, by the clock of the daemon's machine.
[[nodiscard]] v1::When at_time(std::chrono::system_clock::time_point time);

}  // namespace rta
