// SPDX-License-Identifier: MIT
#include "app/device_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "text/display_width.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

struct Entry {
    DeviceInfo device{};
    std::string title{};   ///< heading of its group
    std::string name{};    ///< within the group
    bool on_card = false;  ///< the group is an ALSA card
};

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;
constexpr std::array<bool, kColumns> kRightAligned{false, true, true, true, false, false};

/// Sets the title and the name. A card's PCM is "ALSA/CARD NAME: PCM NAME (hw:CARD,DEVICE)".
void describe(Entry& entry, const io::CardIds& ids) {
    const std::string_view whole = entry.device.name;
    const auto slash = whole.find('/');
    const std::string_view local = whole.substr(slash == std::string_view::npos ? 0 : slash + 1);
    const auto pcm = io::alsa_pcm_of(whole);
    if (!pcm) {
        entry.title = whole.substr(0, slash);
        entry.name = local;
        return;
    }
    entry.on_card = true;
    const std::string_view names = local.substr(0, local.rfind(" ("));
    const auto colon = names.find(": ");
    const auto id = ids.find(pcm->card);
    entry.title = std::string{names.substr(0, colon)} + " (card " + std::to_string(pcm->card) +
                  (id == ids.end() ? "" : ", " + id->second) + ")";
    entry.name = colon == std::string_view::npos ? names : names.substr(colon + 2);
}

[[nodiscard]] bool only_captures(const DeviceInfo& device) { return device.channels_out == 0; }

[[nodiscard]] std::string notes_of(const DeviceInfo& device) {
    std::string notes = only_captures(device) ? "capture only" : "";
    const std::string_view role = device.default_input && device.default_output ? "default input and output"
                                  : device.default_output                       ? "default output"
                                  : device.default_input                        ? "default input"
                                                                                : "";
    if (!notes.empty() && !role.empty()) notes += ", ";
    return notes.append(role);
}

/// Returns the flags that open the device. A device that only captures runs alone, or, if its card also plays, together
/// with a --device of that card.
[[nodiscard]] std::string flags_of(const Entry& entry, bool card_plays) {
    if (entry.device.flag.empty()) return "(cannot be selected: another device has the same name)";
    const std::string value = shell_word(entry.device.flag);
    if (!only_captures(entry.device)) return "--device " + value;
    if (card_plays) return "--input-device " + value;
    return "--device " + value + " --channels-out 0";
}

[[nodiscard]] Row row_of(const Entry& entry, bool card_plays) {
    const DeviceInfo& device = entry.device;
    Row row{"  " + entry.name,
            std::to_string(device.channels_in) + " in",
            std::to_string(device.channels_out) + " out",
            std::to_string(std::lround(device.default_sample_rate_hz)) + " Hz",
            flags_of(entry, card_plays),
            notes_of(device)};
    for (std::string& cell : row) cell = printable(cell);  // names of cards come from the hardware
    return row;
}

[[nodiscard]] std::string line_of(const Row& row, const std::array<std::size_t, kColumns>& widths) {
    std::string line;
    for (std::size_t column = 0; column < kColumns; ++column) {
        const std::string padding(widths[column] - display_width(row[column]), ' ');
        if (column > 0) line += "  ";
        line += kRightAligned[column] ? padding + row[column] : row[column] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

[[nodiscard]] std::vector<Entry> entries_of(std::span<const DeviceInfo> devices, const io::CardIds& ids) {
    std::vector<Entry> entries;
    for (const DeviceInfo& device : devices) describe(entries.emplace_back(Entry{.device = device}), ids);
    return entries;
}

}  // namespace

std::string device_page(std::span<const DeviceInfo> devices, const io::CardIds& ids) {
    const std::vector<Entry> entries = entries_of(devices, ids);
    struct Group {
        const std::string* title;
        std::vector<Row> rows;
    };
    std::vector<Group> groups;
    std::array<std::size_t, kColumns> widths{};
    for (const Entry& entry : entries) {
        auto group =
            std::ranges::find(groups, entry.title, [](const Group& g) -> const std::string& { return *g.title; });
        if (group == groups.end()) group = groups.insert(group, Group{.title = &entry.title, .rows = {}});
        const bool card_plays = entry.on_card && std::ranges::any_of(entries, [&](const Entry& other) {
                                    return other.title == entry.title && !only_captures(other.device);
                                });
        Row row = row_of(entry, card_plays);
        for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], display_width(row[i]));
        group->rows.push_back(std::move(row));
    }
    std::string page;
    for (const Group& group : groups) {
        page += printable(*group.title) + "\n";
        for (const Row& row : group.rows) page += line_of(row, widths);
    }
    return page;
}

}  // namespace rta::app
