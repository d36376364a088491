// SPDX-License-Identifier: MIT
#include "rtactl/drawing/meter_picture.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "rtactl/drawing/wording.h"

namespace rta::rtactl {

namespace {

constexpr double kHoldS = 1.5;
constexpr double kFallDbPerS = 20.0;
constexpr float kLowestDb = -60.0F;
/// Width of the text next to a bar: two brackets, and "  -12.3  rms  -15.3  peak  -10.1 dB  over".
constexpr std::size_t kTextColumns = 44;
constexpr std::size_t kMinimumBar = 8;
constexpr std::size_t kMaximumBar = 100;

std::size_t cells(float level_db, std::size_t width) {
    const double share =
        (static_cast<double>(level_db) - static_cast<double>(kLowestDb)) / -static_cast<double>(kLowestDb);
    return static_cast<std::size_t>(std::round(std::clamp(share, 0.0, 1.0) * static_cast<double>(width)));
}

/// Range of the bars of gain reductions.
constexpr float kLargestReductionDb = 30.0F;

struct Channel {
    std::string label;
    v1::ChannelLevel level = {};
    std::string below = {};                                     ///< an optional line below the bar
    std::optional<v1::GainReduction> reduction = std::nullopt;  ///< drawn instead of the level
};

void add_channels(std::vector<Channel>& channels, const std::string& name, const auto& levels) {
    for (int i = 0; i < levels.size(); ++i)
        channels.push_back({levels.size() == 1 ? name : name + " " + std::to_string(i + 1), levels.Get(i)});
}

std::string padded(std::string text, std::size_t width) {
    text.insert(0, width - std::min(width, text.size()), ' ');
    return text;
}

/// Adds a bar in the colours of a level meter.
void add_bar(StyledLine& line, const std::string& bar) {
    constexpr float kWarningDb = -12.0F;
    constexpr float kErrorDb = -3.0F;
    const std::size_t width = bar.size() - 2;
    const std::size_t warning = 1 + cells(kWarningDb, width);
    const std::size_t error = 1 + cells(kErrorDb, width);
    line.push_back({bar.substr(0, 1)});
    line.push_back({bar.substr(1, warning - 1), Style::good});
    line.push_back({bar.substr(warning, error - warning), Style::warning});
    line.push_back({bar.substr(error, width + 1 - error), Style::error});
    line.push_back({bar.substr(width + 1)});
}

}  // namespace

float PeakHold::update(float peak_db, std::uint64_t frame, double sample_rate_hz) {
    const double rate_hz = std::max(sample_rate_hz, 1.0);
    const auto seconds = [&](std::uint64_t since) {
        return frame > since ? static_cast<double>(frame - since) / rate_hz : 0.0;
    };
    if (const double held_s = seconds(held_at_); held_s > kHoldS) {
        const double fallen_s = std::min(held_s - kHoldS, seconds(seen_at_));
        held_db_ -= static_cast<float>(fallen_s * kFallDbPerS);
    }
    if (peak_db >= held_db_) {
        held_db_ = peak_db;
        held_at_ = frame;
    }
    seen_at_ = frame;
    return held_db_;
}

std::string level_bar(float rms_db, float peak_db, float held_db, std::size_t width) {
    const std::size_t peak = cells(peak_db, width);
    const std::size_t rms = std::min(cells(rms_db, width), peak);
    const std::size_t held = cells(held_db, width);
    std::string bar = std::string(rms, '=') + std::string(peak - rms, '-') + std::string(width - peak, ' ');
    if (held > 0) bar[held - 1] = '|';
    return "[" + bar + "]";
}

std::string reduction_bar(float current_db, float held_db, std::size_t width) {
    const auto cells_of = [&](float db) {
        const float share = std::clamp(db / kLargestReductionDb, 0.0F, 1.0F);
        return static_cast<std::size_t>(std::round(share * static_cast<float>(width)));
    };
    const std::size_t current = cells_of(current_db);
    std::string bar = std::string(width - current, ' ') + std::string(current, '<');
    if (const std::size_t held = cells_of(held_db); held > 0) bar[width - held] = '|';
    return "[" + bar + "]";
}

std::vector<StyledLine> MeterPicture::lines(const v1::Levels& levels, std::size_t columns) {
    std::vector<Channel> channels;
    add_channels(channels, "(device)", levels.outputs());
    for (const v1::MeterLevels& meter : levels.meters()) {
        add_channels(channels, meter.node(), meter.channels());
        if (meter.has_gain_reduction())
            channels.push_back({.label = meter.node(), .reduction = meter.gain_reduction()});
        if (meter.has_loudness() && meter.channels_size() > 0) channels.back().below = loudness_text(meter);
    }
    std::size_t label_width = 0;
    for (const Channel& channel : channels) label_width = std::max(label_width, channel.label.size());
    const std::size_t taken = label_width + kTextColumns;
    const std::size_t width = std::clamp(columns > taken ? columns - taken : 0, kMinimumBar, kMaximumBar);
    std::vector<StyledLine> lines;
    for (const auto& [label, level, below, reduction] : channels) {
        const float peak_db = reduction ? reduction->largest_db() : level.peak_db();
        const float held_db = holds_[label].update(peak_db, levels.frame(), sample_rate_hz_);
        StyledLine line{{label + std::string(label_width - label.size() + 1, ' ')}};
        if (reduction) {
            const float held = std::max(held_db, 0.0F);
            line.push_back({reduction_bar(reduction->current_db(), held, width) +
                            padded(level_text(reduction->current_db()), 7) + "  max" + padded(level_text(peak_db), 7) +
                            "  held" + padded(level_text(held), 7) + " dB"});
            lines.push_back(std::move(line));
            continue;
        }
        add_bar(line, level_bar(level.rms_db(), level.peak_db(), held_db, width));
        line.push_back({padded(level_text(level.peak_db()), 7) + "  rms" + padded(level_text(level.rms_db()), 7) +
                        "  peak" + padded(level_text(held_db), 7) + " dB"});
        if (held_db > 0.0F) line.push_back({"  over", Style::error});
        lines.push_back(std::move(line));
        if (!below.empty()) lines.push_back({{std::string(label_width + 1, ' ') + below, Style::secondary}});
    }
    return lines;
}

}  // namespace rta::rtactl
