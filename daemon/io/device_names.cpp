// SPDX-License-Identifier: MIT
#include "io/device_names.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "io/device_request.h"
#include "text/quoting.h"

namespace rta::io {
namespace {

constexpr std::string_view kAlsaPrefix = "ALSA/";
constexpr std::string_view kHwPrefix = "hw:";
constexpr std::string_view kDigits = "0123456789";

using Indexes = std::vector<std::size_t>;

[[nodiscard]] std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// Returns the name without its host API.
[[nodiscard]] std::string_view local_name(std::string_view name) { return name.substr(name.find('/') + 1); }

/// Lower-cases ASCII letters. Names are UTF-8: other bytes stay.
[[nodiscard]] std::string lower_case(std::string_view text) {
    std::string lower{text};
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

[[nodiscard]] std::string names_of(std::span<const DeviceInfo> devices, std::span<const std::size_t> indexes) {
    std::vector<std::string> names;
    for (const std::size_t index : indexes) names.push_back(quoted(devices[index].name));
    return list_in_words(names);
}

/// An hw: form: the CARD as written, and the DEVICE.
struct HwName {
    std::string_view card;
    std::optional<std::uint32_t> device;
};

/// Parses what follows `hw:`: "0", "0,3", "PCH,0" or "CARD=PCH,DEV=0".
[[nodiscard]] std::optional<HwName> parse_hw(std::string_view text) {
    const auto value = [](std::string_view argument, std::string_view key) {
        return argument.starts_with(key) ? argument.substr(key.size()) : argument;
    };
    const auto comma = text.find(',');
    HwName name{.card = value(text.substr(0, comma), "CARD="), .device = std::nullopt};
    if (name.card.empty()) return std::nullopt;
    if (comma == std::string_view::npos) return name;
    name.device = number_of(value(text.substr(comma + 1), "DEV="));
    if (!name.device) return std::nullopt;
    return name;
}

/// Searches the devices with channels in one direction.
class Search {
 public:
    Search(std::span<const DeviceInfo> devices, std::string_view wanted, Direction direction, const CardIds& ids)
        : devices_{devices}, wanted_{wanted}, direction_{direction}, ids_{ids} {
        for (std::size_t index = 0; index < devices.size(); ++index) {
            if (channel_count(devices[index], direction) > 0) able_.push_back(index);
        }
    }

    [[nodiscard]] Expected<std::size_t> run() const {
        for (const auto& matches : {where([&](const std::string& name) { return name == wanted_; }),
                                    where([&](const std::string& name) { return local_name(name) == wanted_; })}) {
            if (!matches.empty()) return only(matches);
        }
        const std::string_view alsa = wanted_.starts_with(kAlsaPrefix) ? wanted_.substr(kAlsaPrefix.size()) : wanted_;
        if (alsa.starts_with(kHwPrefix)) return find_hw(alsa.substr(kHwPrefix.size()));
        if (const auto card = card_with_id(wanted_)) return find_pcm(*card, std::nullopt);
        return find_part();
    }

 private:
    [[nodiscard]] Indexes where(auto&& fits) const {
        Indexes matches;
        std::ranges::copy_if(able_, std::back_inserter(matches), [&](std::size_t i) { return fits(devices_[i].name); });
        return matches;
    }

    [[nodiscard]] std::string what() const { return std::string{direction_name(direction_)} + " device"; }

    [[nodiscard]] std::unexpected<Error> not_found(const std::string& reason = {}) const {
        return fail(ErrorCode::not_found, "no " + what() + " matches " + quoted(wanted_) +
                                              (reason.empty() ? "" : ": " + reason) +
                                              "; available: " + names_of(devices_, able_));
    }

    [[nodiscard]] Expected<std::size_t> only(const Indexes& matches) const {
        if (matches.size() == 1) return matches.front();
        return fail(ErrorCode::invalid_argument, quoted(wanted_) + " matches more than one " + what() + ": " +
                                                     names_of(devices_, matches) +
                                                     "; use a longer part of the name, or the whole name");
    }

    [[nodiscard]] std::optional<std::uint32_t> card_with_id(std::string_view id) const {
        const auto found = std::ranges::find(ids_, id, &CardIds::value_type::second);
        return found == ids_.end() ? std::nullopt : std::optional{found->first};
    }

    [[nodiscard]] Expected<std::size_t> find_hw(std::string_view text) const {
        const auto name = parse_hw(text);
        if (!name) {
            return fail(ErrorCode::invalid_argument,
                        "invalid ALSA device " + quoted(wanted_) +
                            ": expected hw:CARD or hw:CARD,DEVICE, where CARD is the number or the id of a card");
        }
        const bool is_number = name->card.find_first_not_of(kDigits) == std::string_view::npos;
        const auto card = is_number ? number_of(name->card) : card_with_id(name->card);
        if (card) return find_pcm(*card, name->device);
        if (is_number) return not_found("card " + std::string{name->card} + " not found");
        std::vector<std::string> known;
        for (const auto& [number, id] : ids_) known.push_back(quoted(id));
        return not_found("no card has the id " + quoted(name->card) + " (ids: " + list_in_words(known) + ")");
    }

    /// Finds a PCM of a card; without `device`, its first one.
    [[nodiscard]] Expected<std::size_t> find_pcm(std::uint32_t card, std::optional<std::uint32_t> device) const {
        std::optional<std::size_t> found;
        for (const std::size_t index : able_) {
            const auto pcm = alsa_pcm_of(devices_[index].name);
            if (!pcm || pcm->card != card || pcm->device != device.value_or(pcm->device)) continue;
            if (!found || pcm->device < alsa_pcm_of(devices_[*found].name)->device) found = index;
        }
        if (found) return *found;
        return not_found(why_no_pcm(card, device));
    }

    [[nodiscard]] std::string why_no_pcm(std::uint32_t card, std::optional<std::uint32_t> device) const {
        const auto id = ids_.find(card);
        const std::string card_name =
            "card " + std::to_string(card) + (id == ids_.end() ? "" : " (" + id->second + ")");
        const auto listed = [&](auto&& fits) {
            return std::ranges::any_of(devices_, [&](const DeviceInfo& info) {
                const auto pcm = alsa_pcm_of(info.name);
                return pcm && pcm->card == card && fits(*pcm);
            });
        };
        if (!listed([](const AlsaPcm&) { return true; })) {
            // PortAudio lists only devices that it could open.
            return card_name + (id == ids_.end() ? " not found"
                                                 : " cannot be opened: another program is using it, or permission is "
                                                   "missing (group audio)");
        }
        const std::string without = " has no " + std::string{direction_name(direction_)} + " channels";
        if (!device) return card_name + without;
        const std::string device_name = "device " + std::to_string(*device) + " of " + card_name;
        const bool has_device = listed([&](const AlsaPcm& pcm) { return pcm.device == *device; });
        return device_name + (has_device ? without : " does not exist, or another program is using it");
    }

    [[nodiscard]] Expected<std::size_t> find_part() const {
        const auto part = where([&](const std::string& name) { return name.find(wanted_) != std::string::npos; });
        if (!part.empty()) return only(part);
        const std::string lower = lower_case(wanted_);
        const auto in_any_case =
            where([&](const std::string& name) { return lower_case(name).find(lower) != std::string::npos; });
        if (!in_any_case.empty()) return only(in_any_case);
        const bool exists = std::ranges::any_of(
            devices_, [&](const DeviceInfo& info) { return info.name == wanted_ || local_name(info.name) == wanted_; });
        if (!exists) return not_found();
        return not_found("it has no " + std::string{direction_name(direction_)} + " channels");
    }

    std::span<const DeviceInfo> devices_;
    std::string_view wanted_;
    Direction direction_;
    const CardIds& ids_;
    Indexes able_;
};

}  // namespace

std::uint32_t channel_count(const DeviceInfo& device, Direction direction) {
    return direction == Direction::input ? device.channels_in : device.channels_out;
}

std::string_view direction_name(Direction direction) { return direction == Direction::input ? "input" : "output"; }

std::optional<AlsaPcm> alsa_pcm_of(std::string_view name) {
    if (!name.starts_with(kAlsaPrefix) || !name.ends_with(')')) return std::nullopt;
    const auto open = name.rfind('(');
    if (open == std::string_view::npos) return std::nullopt;
    std::string_view address = name.substr(open + 1, name.size() - open - 2);
    // With PA_ALSA_PLUGHW=1 in its environment, PortAudio names and opens plughw: instead of hw:.
    if (constexpr std::string_view kPlug = "plug"; address.starts_with(kPlug)) address.remove_prefix(kPlug.size());
    if (!address.starts_with(kHwPrefix)) return std::nullopt;
    address.remove_prefix(kHwPrefix.size());
    const auto comma = address.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    const auto card = number_of(address.substr(0, comma));
    const auto device = number_of(address.substr(comma + 1));
    if (!card || !device) return std::nullopt;
    return AlsaPcm{.card = *card, .device = *device};
}

CardIds read_card_ids(const std::string& folder) {
    constexpr std::string_view kCard = "card";
    CardIds ids;
    std::error_code error;
    const std::filesystem::directory_iterator end;
    for (std::filesystem::directory_iterator entry{folder, error}; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with(kCard)) continue;
        const auto card = number_of(std::string_view{name}.substr(kCard.size()));
        std::ifstream file{entry->path() / "id"};
        std::string id;
        if (card && file >> id) ids.emplace(*card, id);
    }
    return ids;
}

Expected<std::size_t> find_device(std::span<const DeviceInfo> devices, std::string_view wanted, Direction direction,
                                  const CardIds& ids) {
    return Search{devices, wanted, direction, ids}.run();
}

std::string selecting_name(std::span<const DeviceInfo> devices, std::size_t index, const CardIds& ids) {
    const Direction direction = devices[index].channels_out > 0 ? Direction::output : Direction::input;
    const std::string& whole = devices[index].name;
    std::vector<std::string> names;
    if (const auto pcm = alsa_pcm_of(whole)) {
        const std::string device = "," + std::to_string(pcm->device);
        if (const auto id = ids.find(pcm->card); id != ids.end()) names.push_back("hw:" + id->second + device);
        names.push_back("hw:" + std::to_string(pcm->card) + device);
    }
    names.push_back(whole);
    const auto found = std::ranges::find_if(
        names, [&](const std::string& name) { return find_device(devices, name, direction, ids) == index; });
    return found == names.end() ? std::string{} : *found;
}

Expected<void> check_same_clock(std::string_view output, std::string_view input) {
    if (output == input) return {};
    const auto played = alsa_pcm_of(output);
    const auto captured = alsa_pcm_of(input);
    const bool on_cards = played && captured;
    if (on_cards && played->card == captured->card) return {};
    const std::string why = on_cards ? "two cards have separate clocks, which drift apart"
                                     : "they may be on two cards, whose clocks drift apart";
    return fail(ErrorCode::invalid_argument, "--input-device " + quoted(input) + " conflicts with --device " +
                                                 quoted(output) + ": " + why +
                                                 "; expected one device for both, or two devices of one card "
                                                 "(hw:CARD,DEVICE)");
}

}  // namespace rta::io
