// SPDX-License-Identifier: MIT
#include "io/device_request.h"

#include <algorithm>

#include "text/names.h"

namespace rta::io {
namespace {

[[nodiscard]] std::uint32_t channel_count(const DeviceInfo& device, Direction direction) {
    return direction == Direction::input ? device.channels_in : device.channels_out;
}

[[nodiscard]] std::string_view direction_name(Direction direction) {
    return direction == Direction::input ? "input" : "output";
}

[[nodiscard]] std::string names_of(std::span<const DeviceInfo> devices, std::span<const std::size_t> indexes) {
    std::vector<std::string> names;
    for (const std::size_t index : indexes) names.push_back(quoted(devices[index].name));
    return list_in_words(names);
}

}  // namespace

Expected<DeviceChoice> DeviceChoice::parse(std::string_view text) {
    const auto colon = text.find(':');
    const std::string_view head = text.substr(0, colon);
    const std::string name{colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1)};
    const bool bare = colon == std::string_view::npos;
    if (head == "auto" && bare) return DeviceChoice{Kind::automatic, {}};
    if (head == "null" && (bare || !name.empty())) return DeviceChoice{Kind::null, name};
    if (head == "portaudio" && (bare || !name.empty())) return DeviceChoice{Kind::portaudio, name};
    return fail(ErrorCode::invalid_argument, "there is no device \"" + std::string{text} +
                                                 "\": write auto, null, null:FILE.wav, portaudio or portaudio:NAME");
}

Expected<std::size_t> find_device(std::span<const DeviceInfo> devices, std::string_view wanted, Direction direction) {
    std::vector<std::size_t> able;
    for (std::size_t index = 0; index < devices.size(); ++index) {
        if (channel_count(devices[index], direction) > 0) able.push_back(index);
    }
    std::vector<std::size_t> fitting;
    std::ranges::copy_if(able, std::back_inserter(fitting), [&](std::size_t i) { return devices[i].name == wanted; });
    if (fitting.empty()) {
        std::ranges::copy_if(able, std::back_inserter(fitting),
                             [&](std::size_t i) { return devices[i].name.find(wanted) != std::string::npos; });
    }
    if (fitting.size() == 1) return fitting.front();

    const std::string what = std::string{direction_name(direction)} + " device";
    if (fitting.empty()) {
        return fail(ErrorCode::not_found, "no " + what + " fits \"" + std::string{wanted} + "\"; there " +
                                              (able.size() == 1 ? "is " : "are ") + names_of(devices, able));
    }
    return fail(ErrorCode::invalid_argument, "\"" + std::string{wanted} + "\" fits more than one " + what + ": " +
                                                 names_of(devices, fitting) + "; write more of the name");
}

Expected<std::uint32_t> choose_channels(std::optional<std::uint32_t> asked, const DeviceInfo& device,
                                        Direction direction) {
    const std::uint32_t has = channel_count(device, direction);
    if (!asked) return std::min(has, kDefaultChannels);
    if (*asked <= has) return *asked;
    return fail(ErrorCode::invalid_argument, "\"" + device.name + "\" has " + std::to_string(has) + " " +
                                                 std::string{direction_name(direction)} + " channels, not " +
                                                 std::to_string(*asked));
}

std::string list_in_words(std::span<const std::string> items) {
    if (items.empty()) return "none";
    std::string words = items.front();
    for (std::size_t index = 1; index < items.size(); ++index) {
        words += index + 1 == items.size() ? " and " : ", ";
        words += items[index];
    }
    return words;
}

}  // namespace rta::io
