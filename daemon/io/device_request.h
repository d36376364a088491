// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/wav_file.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

/// What --device and --input-device say.
struct DeviceChoice {
    enum class Kind : std::uint8_t {
        automatic,  ///< `auto`: the sound card if there is one, else null
        null,       ///< `null` or `null:FILE.wav`
        portaudio,  ///< `portaudio` or `portaudio:NAME`
    };

    Kind kind = Kind::automatic;
    std::string name;  ///< the part after the colon; empty: none was given

    /// INVALID_ARGUMENT naming the forms there are.
    [[nodiscard]] static Expected<DeviceChoice> parse(std::string_view text);

    [[nodiscard]] bool operator==(const DeviceChoice&) const = default;
};

/// The device that is wanted, before anyone knows whether it exists.
struct DeviceRequest {
    DeviceChoice device;
    std::optional<std::string> input_name;      ///< NAME of another PortAudio device to capture from
    std::optional<std::uint32_t> channels_in;   ///< left out: the device's, at most kDefaultChannels (null: 0)
    std::optional<std::uint32_t> channels_out;  ///< left out: the device's, at most kDefaultChannels (null: as many)
    std::uint32_t sample_rate_hz = 48'000;
    std::uint32_t block_size = 64;
    OlderRecording older = OlderRecording::overwritten;  ///< of the null device's WAV file
};

inline constexpr std::uint32_t kDefaultChannels = 2;
/// More than any sound card has: beyond it, a number is a typing mistake.
inline constexpr std::uint32_t kMaximumChannels = 256;
inline constexpr std::uint32_t kMinimumSampleRateHz = 8'000;
inline constexpr std::uint32_t kMaximumSampleRateHz = 768'000;

enum class Direction : std::uint8_t { input, output };

/// Index of the device that `wanted` names: its whole name, or a part that fits one device only, among the devices that
/// have channels in that direction. NOT_FOUND listing what there is; INVALID_ARGUMENT listing what fits.
[[nodiscard]] Expected<std::size_t> find_device(std::span<const DeviceInfo> devices, std::string_view wanted,
                                                Direction direction);

/// How many channels to open: `asked`, or what the device has, at most kDefaultChannels. INVALID_ARGUMENT naming the
/// device if it has fewer.
[[nodiscard]] Expected<std::uint32_t> choose_channels(std::optional<std::uint32_t> asked, const DeviceInfo& device,
                                                      Direction direction);

/// "44100, 48000 and 96000", or "none" of nothing.
[[nodiscard]] std::string list_in_words(std::span<const std::string> items);

}  // namespace rta::io
