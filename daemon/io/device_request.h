// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/device_kind.h"
#include "io/device_names.h"
#include "io/wav_file.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

/// The value of --device or --input-device.
struct DeviceChoice {
    const DeviceKind* kind = nullptr;  ///< nullptr: `auto`
    std::string name{};                ///< the part after the colon; empty if none exists

    [[nodiscard]] bool operator==(const DeviceChoice&) const = default;
};

/// The requested device, which may not exist.
struct DeviceRequest {
    DeviceChoice device{};
    std::optional<DeviceChoice> input{};          ///< separate device to capture from; empty name: the default input
    std::optional<std::uint32_t> channels_in{};   ///< unset: what the device has, at most kDefaultChannels (null: 0)
    std::optional<std::uint32_t> channels_out{};  ///< unset: what the device has, at most kDefaultChannels (null: 2)
    std::uint32_t sample_rate_hz = 48'000;
    std::uint32_t block_size = 64;
    ExistingFile existing_file = ExistingFile::overwrite;  ///< for a file that the device writes
    std::string jack_connect{};        ///< regular expression of the JACK ports to connect to; empty: none
    bool input_may_be_absent = false;  ///< a device that comes back without its input is better than none

    [[nodiscard]] bool operator==(const DeviceRequest&) const = default;
};

inline constexpr std::uint32_t kDefaultChannels = 2;
/// More than any sound card has; larger numbers are typing errors.
inline constexpr std::uint32_t kMaximumChannels = 256;
inline constexpr std::uint32_t kMinimumSampleRateHz = 8'000;
inline constexpr std::uint32_t kMaximumSampleRateHz = 768'000;

/// Parses `auto`, KIND or KIND:ARGUMENT. INVALID_ARGUMENT listing all forms. [any]
[[nodiscard]] Expected<DeviceChoice> parse_device(std::string_view text, DeviceKinds kinds);
/// Returns the text that parse_device() turns into this choice. [any]
[[nodiscard]] std::string device_text(const DeviceChoice& choice);
/// Parses KIND or KIND:ARGUMENT of a kind that has separate inputs. INVALID_ARGUMENT listing these forms. [any]
[[nodiscard]] Expected<DeviceChoice> parse_input_device(std::string_view text, DeviceKinds kinds);
/// Returns what parse_device() accepts: "auto, null, null:FILE.wav, portaudio or portaudio:NAME".
[[nodiscard]] std::string device_forms(DeviceKinds kinds);
/// Returns what parse_input_device() accepts.
[[nodiscard]] std::string input_device_forms(DeviceKinds kinds);

/// Checks the regular expression of --jack-connect. INVALID_ARGUMENT with the reason. [any]
[[nodiscard]] Expected<void> check_port_pattern(const std::string& pattern);

/// Returns the kinds to open in turn: the requested one, or the candidates of `auto`.
[[nodiscard]] std::vector<const DeviceKind*> kinds_to_try(const DeviceChoice& choice, DeviceKinds kinds);
/// Refuses a request that contradicts itself, by the checks of the kinds that would be tried. INVALID_ARGUMENT naming
/// the flags. [any]
[[nodiscard]] Expected<void> check_request(const DeviceRequest& request, DeviceKinds kinds);

// For drivers. [any]

/// Returns the number of channels to open: `requested`, or what the device has, at most kDefaultChannels.
/// INVALID_ARGUMENT naming the device if it has fewer than requested.
[[nodiscard]] Expected<std::uint32_t> choose_channels(std::optional<std::uint32_t> requested, const DeviceInfo& device,
                                                      Direction direction);

/// Returns "44100, 48000 and 96000", or "none" without items.
[[nodiscard]] std::string list_in_words(std::span<const std::string> items, std::string_view conjunction = "and");

}  // namespace rta::io
