// SPDX-License-Identifier: MIT
#include "io/device_request.h"

#include <regex.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "text/quoting.h"

namespace rta::io {
namespace {

/// Longer than the path of any file.
constexpr std::size_t kLongestName = 4'096;

void add_forms(std::vector<std::string>& forms, const DeviceKind& kind) {
    forms.emplace_back(kind.name);
    if (kind.argument_use == ArgumentUse::none) return;
    forms.push_back(forms.back() + ":" + std::string{kind.argument});
}

/// Parses KIND or KIND:ARGUMENT. Empty if the text is neither.
[[nodiscard]] std::optional<DeviceChoice> parse_kind(std::string_view text, DeviceKinds kinds) {
    const auto colon = text.find(':');
    const bool has_argument = colon != std::string_view::npos;
    const DeviceKind* const kind = find_kind(kinds, text.substr(0, colon));
    if (kind == nullptr) return std::nullopt;
    if (!has_argument) return DeviceChoice{.kind = kind};
    const std::string_view argument = text.substr(colon + 1);
    if (kind->argument_use == ArgumentUse::none || argument.empty() || argument.size() > kLongestName) {
        return std::nullopt;
    }
    return DeviceChoice{.kind = kind, .name = std::string{argument}};
}

}  // namespace

std::string device_forms(DeviceKinds kinds) {
    std::vector<std::string> forms{"auto"};
    for (const DeviceKind* const kind : kinds) add_forms(forms, *kind);
    return list_in_words(forms, "or");
}

std::string input_device_forms(DeviceKinds kinds) {
    std::vector<std::string> forms;
    for (const DeviceKind* const kind : kinds) {
        if (kind->separate_input) add_forms(forms, *kind);
    }
    return list_in_words(forms, "or");
}

Expected<DeviceChoice> parse_device(std::string_view text, DeviceKinds kinds) {
    if (text == "auto") return DeviceChoice{};
    if (auto choice = parse_kind(text, kinds)) return std::move(*choice);
    return fail(ErrorCode::invalid_argument, "invalid device " + quoted(text) + ": expected " + device_forms(kinds));
}

std::string device_text(const DeviceChoice& choice) {
    if (choice.kind == nullptr) return "auto";
    return std::string{choice.kind->name} + (choice.name.empty() ? "" : ":" + choice.name);
}

Expected<DeviceChoice> parse_input_device(std::string_view text, DeviceKinds kinds) {
    if (auto choice = parse_kind(text, kinds); choice && choice->kind->separate_input) return std::move(*choice);
    return fail(ErrorCode::invalid_argument,
                "invalid input device " + quoted(text) + ": expected " + input_device_forms(kinds));
}

std::vector<const DeviceKind*> kinds_to_try(const DeviceChoice& choice, DeviceKinds kinds) {
    if (choice.kind != nullptr) return {choice.kind};
    std::vector<const DeviceKind*> candidates;
    std::ranges::copy_if(kinds, std::back_inserter(candidates),
                         [](const DeviceKind* kind) { return kind->auto_role == AutoRole::candidate; });
    return candidates;
}

Expected<void> check_port_pattern(const std::string& pattern) {
    constexpr std::size_t kLongest = 1'000;
    if (pattern.size() > kLongest) {
        return fail(ErrorCode::invalid_argument, "the pattern of ports has " + std::to_string(pattern.size()) +
                                                     " bytes: expected at most " + std::to_string(kLongest));
    }
    regex_t compiled{};
    const int error = regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB);
    if (error == 0) {
        regfree(&compiled);
        return {};
    }
    std::array<char, 200> why{};
    regerror(error, &compiled, why.data(), why.size());
    return fail(ErrorCode::invalid_argument, "invalid pattern of ports " + quoted(pattern) + ": " + why.data() +
                                                 "; expected a regular expression, such as system:playback");
}

Expected<void> check_request(const DeviceRequest& request, DeviceKinds kinds) {
    if (request.input && request.channels_in == 0U) {
        return fail(ErrorCode::invalid_argument,
                    "--input-device conflicts with --channels-in 0: no channels left to capture");
    }
    for (const DeviceKind* const kind : kinds_to_try(request.device, kinds)) {
        if (request.input && !kind->separate_input) {
            return fail(ErrorCode::invalid_argument, "--input-device conflicts with --device " +
                                                         std::string{kind->name} + ", which has no separate input");
        }
        if (request.input && request.device.kind != nullptr && request.input->kind != kind) {
            return fail(ErrorCode::invalid_argument, "--input-device " + std::string{request.input->kind->name} +
                                                         " conflicts with --device " + std::string{kind->name} +
                                                         ": expected a device of the same kind");
        }
        if (kind->check == nullptr) continue;
        if (auto checked = kind->check(request); !checked) return checked;
    }
    return {};
}

Expected<std::uint32_t> choose_channels(std::optional<std::uint32_t> requested, const DeviceInfo& device,
                                        Direction direction) {
    const std::uint32_t available = channel_count(device, direction);
    if (!requested) return std::min(available, kDefaultChannels);
    if (*requested <= available) return *requested;
    return fail(ErrorCode::invalid_argument, quoted(device.name) + " has " + std::to_string(available) + " " +
                                                 std::string{direction_name(direction)} + " channels, not " +
                                                 std::to_string(*requested));
}

std::string list_in_words(std::span<const std::string> items, std::string_view conjunction) {
    if (items.empty()) return "none";
    std::string words = items.front();
    for (std::size_t index = 1; index < items.size(); ++index) {
        words += index + 1 == items.size() ? " " + std::string{conjunction} + " " : ", ";
        words += items[index];
    }
    return words;
}

}  // namespace rta::io
