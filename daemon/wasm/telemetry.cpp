// SPDX-License-Identifier: MIT
#include "wasm/telemetry.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string_view>
#include <utility>

#include "engine/level_values.h"
#include "engine/renderer.h"
#include "graph/frequency_response.h"
#include "graph/layout.h"
#include "graph/port_text.h"
#include "text/quoting.h"
#include "text/sort_range.h"
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

std::unexpected<Error> too_many(const std::string& what, std::size_t limit) {
    return fail(ErrorCode::resource_exhausted,
                "all clients together would " + what + "; the limit is " + std::to_string(limit));
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// What is measured

std::uint32_t Telemetry::width_of(PortRef port) const {
    return engine_.graph().find(port.node)->description->layout.outputs[port.port].width;
}

Expected<void> Telemetry::check(const Wish& wish) const {
    std::size_t channels = 0;
    std::size_t spectra = 0;
    for (const auto& [port, spectrum] : wish.watches) {
        const auto found = engine_.graph().resolve_output(port);
        const auto [node, name] = split_port(port);
        if (!found) {
            if (engine_.graph().find(node) != nullptr) return std::unexpected(found.error());
            if (!is_node_name(node) || (name && !is_node_name(*name))) {
                return fail(ErrorCode::invalid_argument,
                            "invalid port " + quoted(port) + ": expected NODE:PORT, or NODE for its only output");
            }
        }
        const std::size_t width = found ? width_of(*found) : 1;
        channels += width;
        spectra += spectrum ? width : 0;
    }
    if (wish.watches.size() > kMaximumWatches)
        return too_many("watch " + std::to_string(wish.watches.size()) + " ports", kMaximumWatches);
    if (channels > kMaximumChannels)
        return too_many("watch " + std::to_string(channels) + " channels", kMaximumChannels);
    if (spectra > kMaximumSpectra)
        return too_many("watch the spectra of " + std::to_string(spectra) + " channels", kMaximumSpectra);
    return {};
}

Expected<void> Telemetry::watch(Wish wish) {
    if (auto good = check(wish); !good) return good;
    const auto frame = static_cast<double>(engine_.renderer().frames());
    const double rate_hz = engine_.config().sample_rate_hz;
    if ((wish.levels_hz > 0.0) != (wish_.levels_hz > 0.0)) {
        engine_.watch_levels(wish.levels_hz > 0.0);
        outputs_.clear();
        meters_.clear();
        levels_frames_ = 0;
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

/// Looks the names up, and lets the engine measure what they refer to. A tap that already measures the port stays.
void Telemetry::resolve() {
    std::vector<TappedPort> tapped;
    std::size_t channels = 0;
    std::size_t spectra = 0;
    for (Port& port : ports_) {
        const auto found = engine_.graph().resolve_output(port.watch.port);
        const std::uint32_t width = found ? width_of(*found) : 0;
        // The graph may have got more channels since the limits were checked.
        const bool fits = found && channels + width <= kMaximumChannels;
        const bool spectrum = fits && port.watch.spectrum && spectra + width <= kMaximumSpectra;
        channels += fits ? width : 0;
        spectra += spectrum ? width : 0;
        const std::optional<PortRef> ref = fits ? std::optional{*found} : std::nullopt;
        const bool stays = port.tap != nullptr && port.ref == ref && (port.tap->samples() != nullptr) == spectrum;
        if (!stays) {
            port = {.watch = std::move(port.watch), .ref = ref};
            if (ref) {
                port.tap = std::make_shared<PortTap>(width, engine_.config().sample_rate_hz,
                                                     engine_.config().block_size, spectrum);
            }
        }
        if (ref) tapped.push_back({*ref, port.tap});
    }
    engine_.watch_ports(std::move(tapped));
    resolved_revision_ = engine_.revision();
}

/// The engine replaces nodes that were faulty without a new revision.
bool Telemetry::outdated() const {
    if (engine_.revision() != resolved_revision_) return true;
    return std::ranges::any_of(
        ports_, [&](const Port& port) { return port.ref && engine_.graph().find(port.ref->node) == nullptr; });
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

void Telemetry::poll(std::string& event) {
    if (wish_.levels_hz > 0.0 && poll_levels(event)) return;
    if (!ports_.empty() && poll_ports(event)) return;
    static_cast<void>(compute_spectrum());
}

bool Telemetry::poll_levels(std::string& event) {
    const MeasuredLevels taken = engine_.take_levels();
    if (taken.frame_count == 0) return false;
    levels_frames_ += taken.frame_count;
    add_channels(taken.outputs.channels, outputs_);
    for (const MeasuredLevels::Source& meter : taken.meters) {
        Meter& sum = meters_[meter.node.value()];
        add_channels(meter.channels, sum.channels);
        if (meter.gain && meter.frame_count != 0) sum.gain.add(*meter.gain);
    }
    const auto frame = static_cast<double>(taken.frame);
    if (frame < levels_due_) return false;
    write_levels(taken, event);
    const double interval = engine_.config().sample_rate_hz / wish_.levels_hz;
    // Skipped events are not sent later.
    levels_due_ = std::max(levels_due_, frame - interval) + interval;
    levels_frames_ = 0;
    outputs_.clear();
    meters_.clear();
    return true;
}

void Telemetry::write_levels(const MeasuredLevels& taken, std::string& event) {
    // Omits removed nodes, which the last measurement does not contain.
    std::vector<std::pair<const GraphNode*, const MeasuredLevels::Source*>> meters;
    for (const MeasuredLevels::Source& meter : taken.meters) {
        const GraphNode* const node = engine_.graph().find(meter.node);
        if (node != nullptr) meters.emplace_back(node, &meter);
    }
    sort_range(meters, {}, [](const auto& entry) -> std::string_view { return entry.first->name(); });
    JsonWriter out{event};
    const auto write_meter = [&](const GraphNode& node, const MeasuredLevels::Source& meter) {
        const auto& [channels, gain] = meters_[meter.node.value()];
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
            out.member("frame_count", levels_frames_);
            out.key("outputs").array([&] {
                for (const auto& channel : outputs_) write_channel(out, channel);
            });
            out.key("meters").array([&] {
                for (const auto& [node, meter] : meters) out.object([&] { write_meter(*node, *meter); });
            });
        });
    });
}

/// Takes what was measured up to ports_frame_.
void Telemetry::collect(Port& port) const {
    if (port.tap == nullptr) return;
    port.sum.resize(port.tap->channel_count());
    while (const auto record = port.held ? std::exchange(port.held, {}) : port.tap->levels().take()) {
        if (record->end_frame > ports_frame_) {
            port.held = record;
            return;
        }
        if (record->channel_count != 0) add_record(*record, port.sum);
    }
}

bool Telemetry::poll_ports(std::string& event) {
    const std::uint64_t quantum = std::max(LevelTap::kMinimumQuantum, engine_.config().block_size);
    const std::uint64_t measured = engine_.renderer().frames() / quantum * quantum;
    const std::uint64_t frames = measured - std::exchange(ports_frame_, measured);
    if (frames != 0) {
        for (Port& port : ports_) collect(port);
        ports_frames_ += frames;
        if (outdated()) resolve();
    }
    const auto frame = static_cast<double>(ports_frame_);
    if (frame < ports_due_ || ports_frames_ == 0) return false;
    write_ports(event);
    const double interval = engine_.config().sample_rate_hz / wish_.ports_hz;
    ports_due_ = std::max(ports_due_, frame - interval) + interval;
    ports_frames_ = 0;
    return true;
}

void Telemetry::write_ports(std::string& event) {
    const auto band_hz = static_cast<float>(engine_.config().sample_rate_hz / dsp::Spectrum::kFrames);
    JsonWriter out{event};
    const auto write_spectra = [&](const Port& port) {
        for (const std::vector<float>& magnitudes : port.spectra) {
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
        if (!std::exchange(port.complete, false)) return;
        out.key("spectra").array([&] { write_spectra(port); });
        port.spectra.clear();
    };
    out.object([&] {
        out.key("port_levels").object([&] {
            out.member("frame", ports_frame_);
            out.member("frame_count", ports_frames_);
            out.key("ports").array([&] {
                for (Port& port : ports_) {
                    // Nothing yet would look like silence.
                    const bool measured = std::ranges::any_of(
                        port.sum, [](const MeasuredLevels::Channel& channel) { return channel.frame_count != 0; });
                    if (measured) out.object([&] { write_port(port); });
                }
            });
        });
    });
}

bool Telemetry::spectrum_is_due(const Port& port) const {
    if (port.tap == nullptr || port.tap->samples() == nullptr || port.complete) return false;
    if (!port.spectra.empty() || port.spectra_frame == 0) return true;
    const double interval = engine_.config().sample_rate_hz / kSpectrumRateHz;
    return static_cast<double>(engine_.renderer().frames() - port.spectra_frame) >= interval;
}

/// Computes the spectrum of one channel, if one is due. Returns whether it did.
bool Telemetry::compute_spectrum() {
    for (Port& port : ports_) {
        if (!spectrum_is_due(port)) continue;
        if (!analyzer_) analyzer_.emplace();
        const SampleHistory& samples = *port.tap->samples();
        std::array<float, dsp::Spectrum::kFrames> latest{};
        if (samples.copy_latest(static_cast<std::uint32_t>(port.spectra.size()), latest) == 0) {
            port.spectra.clear();  // not enough yet
            continue;
        }
        std::vector<float>& magnitudes = port.spectra.emplace_back(dsp::Spectrum::kBands);
        analyzer_->magnitudes(latest, std::span<float, dsp::Spectrum::kBands>{magnitudes});
        for (float& magnitude : magnitudes) magnitude = level_db(static_cast<double>(magnitude));
        if (port.spectra.size() < samples.channel_count()) return true;
        port.complete = true;
        port.spectra_frame = engine_.renderer().frames();
        return true;
    }
    return false;
}

}  // namespace rta::wasm
