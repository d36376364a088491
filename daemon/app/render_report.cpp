// SPDX-License-Identifier: MIT
#include "app/render_report.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "text/format_number.h"

namespace rta::app {
namespace {

/// The lowest level that the protocol reports, too.
constexpr double kFloorDb = -150.0;

[[nodiscard]] float decibels(double gain) {
    return gain > 0.0 ? static_cast<float>(std::max(20.0 * std::log10(gain), kFloorDb)) : static_cast<float>(kFloorDb);
}

[[nodiscard]] double rms(const io::ProgrammeLevels& levels, const io::ProgrammeLevels::Channel& channel) {
    if (levels.frame_count == 0) return 0.0;
    const double mean = channel.sum_of_squares / static_cast<double>(levels.frame_count);
    return std::min(std::sqrt(mean), static_cast<double>(channel.peak));
}

[[nodiscard]] float highest(const io::ProgrammeLevels& levels, float io::ProgrammeLevels::Channel::* level) {
    float highest = 0.0F;
    for (const io::ProgrammeLevels::Channel& channel : levels.channels) highest = std::max(highest, channel.*level);
    return highest;
}

/// "-6.0", or "-inf" for silence.
[[nodiscard]] std::string level_text(float level_db) {
    if (level_db <= static_cast<float>(kFloorDb)) return "-inf";
    const double rounded = std::round(static_cast<double>(level_db) * 10.0) / 10.0;
    std::string text = format_number(rounded == 0.0 ? 0.0 : rounded);
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

[[nodiscard]] std::string levels_text(const io::ProgrammeLevels& levels) {
    using Channel = io::ProgrammeLevels::Channel;
    if (levels.frame_count == 0) return "not measured";
    const std::optional<float> integrated = levels.loudness.integrated_lufs;
    return "peak " + level_text(decibels(static_cast<double>(highest(levels, &Channel::peak)))) + " dBFS, true peak " +
           level_text(decibels(static_cast<double>(highest(levels, &Channel::true_peak)))) + " dBTP, loudness " +
           (integrated ? level_text(*integrated) + " LUFS" : "not measured (below -70 LUFS or shorter than 0.4 s)");
}

[[nodiscard]] std::string_view format_text(io::FileFormat format) {
    return format == io::FileFormat::flac ? "24-bit FLAC" : "32-bit float WAV";
}

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

void put_string(JsonWriter& writer, std::string_view name, std::string_view text) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void put_number(JsonWriter& writer, std::string_view name, std::uint64_t number) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.Uint64(number);
}

/// Omits a value that has not been measured.
void put_level(JsonWriter& writer, std::string_view name, std::optional<float> level) {
    if (!level) return;
    const std::string text = format_number(*level);
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

void put_loudness(JsonWriter& writer, const io::ProgrammeLevels& levels) {
    writer.Key("loudness");
    writer.StartObject();
    put_level(writer, "integrated_lufs", levels.loudness.integrated_lufs);
    put_level(writer, "range_lu", levels.loudness.range_lu);
    put_level(writer, "maximum_momentary_lufs", levels.loudness.maximum_momentary_lufs);
    put_level(writer, "maximum_short_term_lufs", levels.loudness.maximum_short_term_lufs);
    put_level(writer, "maximum_true_peak_db",
              decibels(static_cast<double>(highest(levels, &io::ProgrammeLevels::Channel::true_peak))));
    writer.EndObject();
}

void put_nodes(JsonWriter& writer, const char* name, const std::vector<NodeLevels>& nodes) {
    writer.Key(name);
    writer.StartArray();
    for (const NodeLevels& node : nodes) {
        writer.StartObject();
        put_string(writer, "node", node.node);
        if (node.first_channel) put_number(writer, "first_channel", *node.first_channel);
        writer.Key("channels");
        writer.StartArray();
        for (const io::ProgrammeLevels::Channel& channel : node.levels.channels) {
            writer.StartObject();
            put_level(writer, "peak_db", decibels(static_cast<double>(channel.peak)));
            put_level(writer, "rms_db", decibels(rms(node.levels, channel)));
            put_level(writer, "true_peak_db", decibels(static_cast<double>(channel.true_peak)));
            writer.EndObject();
        }
        writer.EndArray();
        put_loudness(writer, node.levels);
        writer.EndObject();
    }
    writer.EndArray();
}

}  // namespace

bool has_meters(const MeasuredLevels& measured) {
    return !std::ranges::all_of(measured.meters, [](const auto& source) { return source.gain.has_value(); });
}

void MeterTotals::add(MeasuredLevels measured, std::uint64_t kept_until) {
    if (measured.frame_count != 0) waiting_.push_back(std::move(measured));
    while (!waiting_.empty() && waiting_.front().frame - waiting_.front().frame_count < kept_until) {
        count(waiting_.front());
        waiting_.pop_front();
    }
}

void MeterTotals::count(const MeasuredLevels& measured) {
    for (const MeasuredLevels::Source& source : measured.meters) {
        if (source.gain) continue;
        io::ProgrammeLevels& total = meters_[source.node.value()];
        total.frame_count += source.frame_count;
        total.loudness = source.loudness;
        total.channels.resize(std::max(total.channels.size(), source.channels.size()));
        for (std::size_t i = 0; i < source.channels.size(); ++i) {
            io::ProgrammeLevels::Channel& channel = total.channels[i];
            channel.peak = std::max(channel.peak, source.channels[i].peak);
            // The true peak of the last frames is measured after the end of the file.
            channel.true_peak = std::max({channel.true_peak, channel.peak, source.channels[i].true_peak});
            channel.sum_of_squares += source.channels[i].sum_of_squares;
        }
    }
}

std::vector<NodeLevels> MeterTotals::levels(const AudioGraph& graph) const {
    std::vector<NodeLevels> levels;
    for (const auto& node : graph.nodes()) {
        const auto found = meters_.find(node->id.value());
        if (found != meters_.end()) levels.push_back({node->description->name, std::nullopt, found->second});
    }
    std::ranges::sort(levels, {}, &NodeLevels::node);
    return levels;
}

std::string report_text(const RenderReport& report) {
    const double length_s = static_cast<double>(report.frames) / report.sample_rate_hz;
    std::string text = report.file + ": " + format_number(std::round(length_s * 1'000.0) / 1'000.0) + " s, " +
                       std::to_string(report.channels) + (report.channels == 1 ? " channel, " : " channels, ") +
                       std::to_string(report.sample_rate_hz) + " Hz, " + std::string{format_text(report.format)} + "\n";
    for (const NodeLevels& output : report.outputs)
        text += output.node + " (output): " + levels_text(output.levels) + "\n";
    for (const NodeLevels& meter : report.meters) text += meter.node + " (meter): " + levels_text(meter.levels) + "\n";
    return text;
}

std::string report_json(const RenderReport& report) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer{buffer};
    writer.StartObject();
    put_string(writer, "file", report.file);
    put_string(writer, "format", report.format == io::FileFormat::flac ? "flac" : "wav");
    put_number(writer, "sample_rate_hz", report.sample_rate_hz);
    put_number(writer, "channels", report.channels);
    put_number(writer, "frames", report.frames);
    put_number(writer, "latency_frames", report.latency_frames);
    writer.Key("aligned");
    writer.Bool(report.aligned);
    put_number(writer, "clipped_samples", report.clipped_samples);
    put_nodes(writer, "outputs", report.outputs);
    put_nodes(writer, "meters", report.meters);
    writer.Key("notices");
    writer.StartArray();
    for (const std::string& notice : report.notices) {
        writer.String(notice.data(), static_cast<rapidjson::SizeType>(notice.size()));
    }
    writer.EndArray();
    writer.EndObject();
    return std::string{buffer.GetString(), buffer.GetSize()} + "\n";
}

}  // namespace rta::app
