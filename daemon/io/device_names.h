// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "status/status.h"
#include "text/error.h"

namespace rta::io {

// Names of devices. A driver lists a device as `HOSTAPI/NAME`, such as "ALSA/HDA Intel PCH: ALC257 Analog (hw:0,0)";
// users may write shorter names. All functions: [any].

enum class Direction : std::uint8_t { input, output };

[[nodiscard]] std::uint32_t channel_count(const DeviceInfo& device, Direction direction);
/// Returns "input" or "output".
[[nodiscard]] std::string_view direction_name(Direction direction);

/// A PCM of an ALSA card, as in hw:CARD,DEVICE.
struct AlsaPcm {
    std::uint32_t card = 0;
    std::uint32_t device = 0;

    [[nodiscard]] bool operator==(const AlsaPcm&) const = default;
};

/// Returns the PCM of a card that has the name `name` in PortAudio's list. nullopt for other PCMs, such as `default`,
/// and for devices that are not from ALSA.
[[nodiscard]] std::optional<AlsaPcm> alsa_pcm_of(std::string_view name);

/// Ids of the ALSA cards, by number. An id, such as "PCH", stays the same when the number of the card changes.
using CardIds = std::map<std::uint32_t, std::string>;
/// Reads `folder`/card<N>/id for every card. Empty if the folder does not exist.
[[nodiscard]] CardIds read_card_ids(const std::string& folder = "/proc/asound");

/// Returns the index of the device that `wanted` names, among the devices with channels in that direction. In this
/// order, `wanted` is:
/// - the whole name, `HOSTAPI/NAME`, or the whole NAME;
/// - `hw:CARD` or `hw:CARD,DEVICE`, where CARD is the number or the id of a card. Without DEVICE: its first PCM;
/// - the id of a card, which means the same as `hw:ID`;
/// - a part of a name that only one device has: with the same case, or, if none has it, in any case.
/// NOT_FOUND listing the devices; INVALID_ARGUMENT for an invalid hw: form, or listing the devices if several match.
[[nodiscard]] Expected<std::size_t> find_device(std::span<const DeviceInfo> devices, std::string_view wanted,
                                                Direction direction, const CardIds& ids = {});

/// Returns the most stable name of the device with that index, `hw:ID,DEVICE` for a PCM of a card, otherwise the whole
/// name. find_device() finds the device by it among those that play, or, if the device only captures, among those that
/// capture. Empty if the device has no such name, because another one has the same.
[[nodiscard]] std::string selecting_name(std::span<const DeviceInfo> devices, std::size_t index, const CardIds& ids);

/// Refuses to play on `output` and capture from `input`, two whole names, if two clocks would drive them:
/// INVALID_ARGUMENT naming the flags. One clock drives a device, and all PCMs of an ALSA card.
[[nodiscard]] Expected<void> check_same_clock(std::string_view output, std::string_view input);

}  // namespace rta::io
