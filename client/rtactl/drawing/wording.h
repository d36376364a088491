// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

// Phrases that several pages share.

/// "3 nodes", "1 node".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view thing);
/// Returns the text up to the end of its first sentence.
[[nodiscard]] std::string_view first_sentence(std::string_view text);
/// "1.33 ms".
[[nodiscard]] std::string milliseconds_text(double seconds);
/// "1 h 2 min".
[[nodiscard]] std::string duration_text(double seconds);
/// "5.1 %".
[[nodiscard]] std::string percent_text(float share);
/// "0.004 %": with more digits, because a graph may have thousands of nodes.
[[nodiscard]] std::string node_share_text(float share);
/// "-12.3"; "-inf" for the level that telemetry uses for silence.
[[nodiscard]] std::string level_text(float level_db);
/// `M -23.1, S -22.9, I -23.0 LUFS, range 4.2 LU, true peak -1.3 -1.5, highest -0.9 dBTP`; -- means not measured yet.
[[nodiscard]] std::string loudness_text(const v1::MeterLevels& meter);
/// `gain reduction 3.2, largest 6.1 dB`.
[[nodiscard]] std::string reduction_text(const v1::GainReduction& reduction);
[[nodiscard]] std::string device_text(const v1::DeviceState& device);
[[nodiscard]] std::string load_text(const v1::Load& load);
/// "23 s": the time until the edit is reverted.
[[nodiscard]] std::string left_text(const v1::OpenConfirmation& edit);
/// "edit 3 of desk, add osc, is reverted in 23 s unless `rtactl confirm` comes".
[[nodiscard]] std::string confirmation_text(const v1::OpenConfirmation& edit);
/// "2 output underflows, 1 late callback", or "none".
[[nodiscard]] std::string describe(const v1::XrunCounts& counts);

}  // namespace rta::rtactl
