// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "graph/edit.h"
#include "text/error.h"

/// What is checked of an edit while it is read, whatever its form: protobuf or JSON. [any]
namespace rta {

/// A setting whose value is `kind`, such as "null".
[[nodiscard]] Error invalid_setting(std::string_view name, std::string_view node, std::string_view kind);

/// A change of a parameter as it was received: with a value, or relative.
struct ReceivedChange {
    std::string node;
    std::string parameter;
    float value = 0.0F;
    std::optional<float> ramp_ms{};
    std::optional<float> add{};
    std::optional<bool> toggle{};
};
/// INVALID_ARGUMENT: a relative change with a value, or toggle = false.
[[nodiscard]] Expected<SetParameter> to_change(ReceivedChange received);

/// INVALID_ARGUMENT: it changes nothing.
[[nodiscard]] Expected<void> check_describe(const Describe& edit);
/// INVALID_ARGUMENT: replace_graph among other edits.
[[nodiscard]] Expected<void> check_alone(const Edit& edit, std::size_t edit_count);
/// An edit without a kind, or of an unknown one.
[[nodiscard]] Error unknown_edit();
/// A transaction without content.
[[nodiscard]] Error empty_transaction();
/// A SetParameters without changes.
[[nodiscard]] Error no_changes();
/// A SetVolume without a change.
[[nodiscard]] Error no_volume_change();
/// INVALID_ARGUMENT: `fade_ms` of a recall is out of range.
[[nodiscard]] Expected<void> check_fade(float fade_ms);
/// INVALID_ARGUMENT: the volume would be out of range.
[[nodiscard]] Expected<float> volume_after(float current_db, float add_db);

/// INVALID_ARGUMENT: a node is listed twice.
[[nodiscard]] Expected<void> check_distinct(std::span<const std::string> nodes);

/// INVALID_ARGUMENT: not a name for a scene.
[[nodiscard]] Expected<void> check_scene_name(std::string_view name);
/// A scene that does not exist; `names` are those that do.
[[nodiscard]] Error unknown_scene(std::string_view name, std::span<const std::string_view> names);
/// A new name that another scene has.
[[nodiscard]] Error scene_exists(std::string_view name);

/// What a guard requires; see rta.v1.Guard.
struct GuardWish {
    std::optional<std::uint64_t> revision{};
    std::optional<std::uint64_t> change{};
    std::string_view instance{};  ///< empty: not checked
};
/// What it is compared with.
struct GuardedState {
    std::string_view instance;
    std::uint64_t revision;
    std::uint64_t change;       ///< number of the latest change
    std::uint64_t latest_edit;  ///< number of the latest change of the graph or of parameters; 0: none
    std::string_view author;    ///< of that
    std::string_view client_name;
};
/// Returns why the guard does not hold; empty if it does.
[[nodiscard]] std::string guard_violation(const GuardedState& state, const GuardWish& guard);

/// The largest number of steps of a history.
inline constexpr std::uint32_t kMaximumSteps = 1'000;
/// INVALID_ARGUMENT: not 1 to kMaximumSteps.
[[nodiscard]] Expected<void> check_steps(std::uint32_t steps);
/// Fewer steps than an undo, or a redo, asks for. `author` is empty if steps of all authors count.
[[nodiscard]] Error too_few_steps(bool redo, std::string_view author, std::size_t count, std::size_t wanted);

}  // namespace rta
