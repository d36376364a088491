// SPDX-License-Identifier: MIT
#include "wasm/telemetry.h"

#include <algorithm>
#include <bit>
#include <span>
#include <string_view>
#include <utility>

#include "engine/level_values.h"
#include "engine/renderer.h"
#include "graph/frequency_response.h"
#include "wasm/json_writer.h"

namespace rta::wasm {
namespace {

/// Appends the bytes of 32-bit floats in base64, in quotes.
void append_floats(std::string& out, std::span<const float> values) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static_assert(std::endian::native == std::endian::little);
    const auto bytes = std::as_bytes(values);
    out += '"';
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = std::min<std::size_t>(bytes.size() - i, 3);
        std::uint32_t word = 0;
        for (std::size_t k = 0; k < 3; ++k)
            word = word << 8U | (k < left ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
        for (std::size_t k = 0; k < 4; ++k) out += k <= left ? kDigits[word >> (18 - 6 * k) & 63U] : '=';
    }
    out += '"';
}

void write_channel(JsonWriter& out, const MeasuredLevels::Channel& channel, bool true_peak = false) {
    out.object([&] {
        out.member("peak_db", level_db(static_cast<double>(channel.peak)));
        out.member("rms_db", level_db(rms_of(channel)));
        if (true_peak) out.member("true_peak_db", level_db(static_cast<double>(channel.true_peak)));
    });
}

void write_loudness(JsonWriter& out, const MeasuredLevels::Source& meter) {
    const dsp::Loudness& loudness = meter.loudness;
    const auto optional = [&](std::string_view name, const auto& value) {
        if (value) out.member(name, *value);
    };
    out.key("loudness").object([&] {
        optional("momentary_lufs", loudness.momentary_lufs);
        optional("short_term_lufs", loudness.short_term_lufs);
        optional("integrated_lufs", loudness.integrated_lufs);
        optional("range_lu", loudness.range_lu);
        optional("maximum_momentary_lufs", loudness.maximum_momentary_lufs);
        optional("maximum_short_term_lufs", loudness.maximum_short_term_lufs);
        out.member("maximum_true_peak_db", level_db(static_cast<double>(meter.maximum_true_peak)));
        out.member("measured_s", loudness.measured_s);
    });
}

void write_reduction(JsonWriter& out, const GraphNode& node, const dsp::GainRange& gain) {
    const bool bypassed = is_bypassed(node);
    out.key("gain_reduction").object([&] {
        out.member("largest_db", bypassed ? 0.0F : reduction_db(gain.smallest));
        out.member("current_db", bypassed ? 0.0F : reduction_db(gain.last));
    });
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// What is measured

Expected<void> Telemetry::check(const Wish& wish) const {
    std::size_t channels = 0;
    std::size_t spectra = 0;
    for (const auto& [port, spectrum] : wish.watches) {
        const auto found = find_watched_port(engine_.graph(), port);
        if (!found) return std::unexpected(found.error());
        const std::size_t width = *found ? width_of(engine_.graph(), **found) : 1;
        channels += width;
        spectra += spectrum ? width : 0;
    }
    const auto limit = [](const char* what, std::size_t count, const char* unit, std::size_t most) {
        return std::unexpected(too_much_watched(what + std::to_string(count) + unit, most));
    };
    if (wish.watches.size() > kMaximumWatches) return limit("watch ", wish.watches.size(), " ports", kMaximumWatches);
    if (channels > kMaximumChannels) return limit("watch ", channels, " channels", kMaximumChannels);
    if (spectra > kMaximumSpectra) return limit("watch the spectra of ", spectra, " channels", kMaximumSpectra);
    return {};
}

Expected<void> Telemetry::watch(Wish wish) {
    if (auto good = check(wish); !good) return good;
    const auto frame = static_cast<double>(engine_.renderer().frames());
    const double rate_hz = engine_.config().sample_rate_hz;
    if ((wish.levels_hz > 0.0) != (wish_.levels_hz > 0.0)) {
        engine_.watch_levels(wish.levels_hz > 0.0);
        sums_ = {};
    }
    if (wish.levels_hz > 0.0 && wish.levels_hz != wish_.levels_hz) levels_due_ = frame + rate_hz / wish.levels_hz;
    if (!wish.watches.empty() && (wish_.watches.empty() || wish.ports_hz != wish_.ports_hz))
        ports_due_ = frame + rate_hz / wish.ports_hz;
    std::vector<Port> ports;
    for (const Watch& watch : wish.watches) {
        const auto known = std::ranges::find(ports_, watch.port, [](const Port& port) { return port.watch.port; });
        Port port;
        if (known != ports_.end()) port = std::move(*known);
        port.watch = watch;
        ports.push_back(std::move(port));
    }
    ports_ = std::move(ports);
    wish_ = std::move(wish);
    resolve();
    return {};
}

void Telemetry::resolve() {
    WatchedPortLookup lookup{engine_, kMaximumChannels};
    for (Port& port : ports_) {
        if (!lookup.add(port.watch.port, port.watch.spectrum, port.measured)) port.sum.clear();
    }
    lookup.end();
    resolved_revision_ = engine_.revision();
}

bool Telemetry::outdated() const {
    return engine_.revision() != resolved_revision_ ||
           std::ranges::any_of(ports_, [&](const Port& port) { return port.measured.is_gone(engine_.graph()); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

void Telemetry::poll(std::string& event) {
    if (wish_.levels_hz > 0.0 && poll_levels(event)) return;
    if (!ports_.empty() && poll_ports(event)) return;
    compute_spectrum();
}

bool Telemetry::poll_levels(std::string& event) {
    const MeasuredLevels taken = engine_.take_levels();
    if (taken.frame_count == 0) return false;
    sums_.add(taken);
    const auto frame = static_cast<double>(taken.frame);
    if (frame < levels_due_) return false;
    write_levels(taken, event);
    levels_due_ = next_due(levels_due_, frame, engine_.config().sample_rate_hz / wish_.levels_hz);
    sums_ = {};
    return true;
}

void Telemetry::write_levels(const MeasuredLevels& taken, std::string& event) {
    JsonWriter out{event};
    const auto write_meter = [&](const MeasuredLevels::Source& meter) {
        const GraphNode& node = *engine_.graph().find(meter.node);
        const auto& [id, channels, gain] = sums_.meter(meter.node);
        out.member("node", node.name());
        if (meter.gain) return write_reduction(out, node, gain);
        out.key("channels").array([&] {
            for (const auto& channel : channels) write_channel(out, channel, true);
        });
        write_loudness(out, meter);
    };
    out.object([&] {
        out.key("levels").object([&] {
            out.member("frame", taken.frame);
            out.member("frame_count", sums_.frame_count);
            out.key("outputs").array([&] {
                for (const auto& channel : sums_.outputs) write_channel(out, channel);
            });
            out.key("meters").array([&] {
                for (const auto* meter : meters_by_name(engine_.graph(), taken))
                    out.object([&] { write_meter(*meter); });
            });
        });
    });
}

bool Telemetry::poll_ports(std::string& event) {
    const std::uint64_t measured = measured_frame(engine_);
    const std::uint64_t frames = measured - std::exchange(ports_frame_, measured);
    if (frames != 0) {
        for (Port& port : ports_) port.measured.take_levels(ports_frame_, port.sum);
        ports_frames_ += frames;
        if (outdated()) resolve();
    }
    const auto frame = static_cast<double>(ports_frame_);
    if (frame < ports_due_ || ports_frames_ == 0) return false;
    write_ports(event);
    ports_due_ = next_due(ports_due_, frame, engine_.config().sample_rate_hz / wish_.ports_hz);
    ports_frames_ = 0;
    return true;
}

void Telemetry::write_ports(std::string& event) {
    const auto band_hz = static_cast<float>(engine_.config().sample_rate_hz / dsp::Spectrum::kFrames);
    JsonWriter out{event};
    const auto write_spectra = [&](const Port& port) {
        for (const std::vector<float>& magnitudes : port.measured.spectra()) {
            out.object([&] {
                out.member("band_hz", band_hz);
                std::string text;
                append_floats(text, magnitudes);
                out.key("magnitudes_db").raw(text);
            });
        }
    };
    const auto write_port = [&](Port& port) {
        out.member("port", port.watch.port);
        out.key("channels").array([&] {
            for (const auto& channel : std::exchange(port.sum, {})) write_channel(out, channel);
        });
        if (!port.has_unsent_spectra()) return;
        port.spectra_frame = port.measured.spectra_frame();
        out.key("spectra").array([&] { write_spectra(port); });
    };
    out.object([&] {
        out.key("port_levels").object([&] {
            out.member("frame", ports_frame_);
            out.member("frame_count", ports_frames_);
            out.key("ports").array([&] {
                for (Port& port : ports_) {
                    if (any_measured(port.sum)) out.object([&] { write_port(port); });
                }
            });
        });
    });
}

/// Computes the spectrum of one channel, if one is due.
void Telemetry::compute_spectrum() {
    for (Port& port : ports_) {
        if (port.has_unsent_spectra()) continue;
        if (port.measured.compute_spectrum(engine_.renderer().frames(), engine_.config().sample_rate_hz, analyzer_))
            return;
    }
}

}  // namespace rta::wasm
