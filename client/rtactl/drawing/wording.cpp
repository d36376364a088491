// SPDX-License-Identifier: MIT
#include "rtactl/drawing/wording.h"

#include <algorithm>
#include <cmath>

#include "text/format_number.h"

namespace rta::rtactl {

std::string counted(std::uint64_t count, std::string_view thing) {
    return std::to_string(count) + " " + std::string{thing} + (count == 1 ? "" : "s");
}

std::string_view first_sentence(std::string_view text) {
    const std::size_t end = text.find(". ");
    return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

std::string milliseconds_text(double seconds) { return format_number(std::round(seconds * 1e5) / 100.0) + " ms"; }

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::max(seconds, 0.0));
    const std::uint64_t days = whole / 86'400;
    const std::uint64_t hours = whole / 3'600 % 24;
    const std::uint64_t minutes = whole / 60 % 60;
    if (days > 0) return std::to_string(days) + " d " + std::to_string(hours) + " h";
    if (hours > 0) return std::to_string(hours) + " h " + std::to_string(minutes) + " min";
    if (minutes > 0) return std::to_string(minutes) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole) + " s";
}

std::string left_text(const v1::OpenConfirmation& edit) { return duration_text(std::ceil(edit.left_s())); }

std::string confirmation_text(const v1::OpenConfirmation& edit) {
    const std::string what = edit.summary().empty() ? "" : ", " + edit.summary() + ",";
    return "edit " + std::to_string(edit.id()) + " of " + edit.author() + what + " is reverted in " + left_text(edit) +
           " unless `rtactl confirm` comes";
}

std::string percent_text(float share) {
    return format_number(std::round(static_cast<double>(share) * 1000.0) / 10.0) + " %";
}

std::string node_share_text(float share) {
    return format_number(std::round(static_cast<double>(share) * 100'000.0) / 1'000.0) + " %";
}

std::string level_text(float level_db) {
    constexpr float kSilenceDb = -150.0F;
    if (level_db <= kSilenceDb) return "-inf";
    const double rounded = std::round(static_cast<double>(level_db) * 10.0) / 10.0;
    std::string text = format_number(rounded == 0.0 ? 0.0 : rounded);
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string loudness_text(const v1::MeterLevels& meter) {
    const auto measured = [](bool there, float value) { return there ? level_text(value) : "--"; };
    const v1::Loudness& loudness = meter.loudness();
    std::string text = "M " + measured(loudness.has_momentary_lufs(), loudness.momentary_lufs()) + ", S " +
                       measured(loudness.has_short_term_lufs(), loudness.short_term_lufs()) + ", I " +
                       measured(loudness.has_integrated_lufs(), loudness.integrated_lufs()) + " LUFS, range " +
                       measured(loudness.has_range_lu(), loudness.range_lu()) + " LU, true peak";
    for (const v1::ChannelLevel& channel : meter.channels())
        text.append(" ").append(level_text(channel.true_peak_db()));
    return text + ", highest " + level_text(loudness.maximum_true_peak_db()) + " dBTP";
}

std::string reduction_text(const v1::GainReduction& reduction) {
    return "gain reduction " + level_text(reduction.current_db()) + ", largest " + level_text(reduction.largest_db()) +
           " dB";
}

std::string device_text(const v1::DeviceState& device) {
    std::string text = device.kind();
    if (!device.name().empty()) text.append(" ").append(device.name());
    text += device.running() ? ", running, " : ", not running, ";
    text += format_number(device.sample_rate_hz()) + " Hz, " + std::to_string(device.channels_in()) + " in, " +
            std::to_string(device.channels_out()) + " out";
    if (!device.fallback_reason().empty())
        text += " (instead of the requested device: " + device.fallback_reason() + ")";
    return text;
}

std::string load_text(const v1::Load& load) {
    return "mean " + percent_text(load.mean()) + ", p99 " + percent_text(load.p99()) + ", worst " +
           percent_text(load.worst()) + " of the time for " + counted(load.callback_count(), "callback");
}

std::string describe(const v1::XrunCounts& counts) {
    std::string text;
    const auto add = [&](std::uint64_t count, std::string_view thing) {
        if (count > 0) text.append(text.empty() ? "" : ", ").append(counted(count, thing));
    };
    add(counts.input_underflows(), "input underflow");
    add(counts.input_overflows(), "input overflow");
    add(counts.output_underflows(), "output underflow");
    add(counts.output_overflows(), "output overflow");
    add(counts.late_callbacks(), "late callback");
    add(counts.overruns(), "overrun");
    return text.empty() ? "none" : text;
}

}  // namespace rta::rtactl
